# Packages of Debian's suite `testing` for scripts that source this file, without touching the system: lists and caches
# stand in $apt_folder, more options in the array apt_options; the mirror and its key are those that this machine already uses. Expects `say`.

again() { # again COMMAND...: mirrors fail now and then
    local attempt
    for attempt in 1 2 3 4 5; do
        "$@" && return 0
        say "attempt $attempt failed: $*"
        sleep "$attempt"
    done
    return 1
}

# One line "deb [signed-by=KEYRING] MIRROR" for the mirror that serves this system's own release.
own_mirror() {
    local release
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    { cat /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } | awk -v release="$release" '
        function finish() {
            if (index(" " suites " ", " " release " ") && uri != "" && !found) {
                print "deb " (key == "" ? "" : "[signed-by=" key "] ") uri
                found = 1
            }
            uri = suites = key = ""
        }
        /^[ \t]*$/ { finish() }
        tolower($1) == "types:" { finish() }
        tolower($1) == "uris:" { uri = $2 }
        tolower($1) == "suites:" { $1 = ""; suites = $0 }
        tolower($1) == "signed-by:" { key = $2 }
        END { finish() }'
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | awk -v release="$release" '
        $1 == "deb" {
            options = ""
            for (i = 2; $i ~ /^\[/ || options ~ /^\[[^]]*$/; i++) options = options (options == "" ? "" : " ") $i
            if ($(i + 1) == release) { print "deb " (options == "" ? "" : options " ") $i; exit }
        }'
}

apt() { # apt PROGRAM ARGUMENT...: apt-get or apt-cache with lists and caches of their own
    local program=$1
    shift
    "$program" -qq -o Dir::Etc::SourceList="$apt_folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$apt_folder/lists" -o Dir::Cache="$apt_folder/cache" \
        -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "${apt_options[@]}" "$@"
}

read_lists() { # read_lists SUITE...
    local mirror suite
    mirror=$(own_mirror | head -n 1)
    [ -n "$mirror" ] || { say "no Debian mirror found in /etc/apt/sources.list*"; exit 1; }
    mkdir -p "$apt_folder/lists/partial" "$apt_folder/cache/archives/partial"
    for suite in "$@"; do echo "$mirror $suite main"; done > "$apt_folder/sources.list"
    again apt apt-get update
}

unpack() { # unpack FOLDER PACKAGE...: downloads packages and makes FOLDER what they hold
    local work=$1.unpacking target=$1 package
    shift
    rm -rf "$work" "$target" "$apt_folder/debs"
    mkdir -p "$work" "$apt_folder/debs"
    (cd "$apt_folder/debs" && again apt apt-get download "$@")
    for package in "$apt_folder"/debs/*.deb; do dpkg -x "$package" "$work"; done
    rm -rf "$apt_folder/debs"
    mv "$work" "$target"
}
