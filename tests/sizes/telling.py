# Says of each sample, on a line of its own: its address, what `sys.getsizeof` gives, the name of its type, and the
# addresses of what the collector sees it refer to. Then waits for its standard input to end.
gc.collect()
gc.disable()
out = []
for place in range(len(samples)):
    sample = samples[place]
    kind = type(sample)
    name = "%s.%s" % (type.__dict__["__module__"].__get__(kind), type.__dict__["__qualname__"].__get__(kind))
    size = sys.getsizeof(sample)
    referents = " ".join([str(id(referent)) for referent in gc.get_referents(sample)])
    out.append("%d %d %s|%s" % (id(sample), size, name, referents))
del sample, kind
out += ["ready", ""]
os.write(1, "\n".join(out).encode())
os.read(0, 1)
os._exit(0)
