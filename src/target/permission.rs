//! Why the kernel does not let us read a process, from what it says of both sides.
//!
//! The rules are those of `__ptrace_may_access` (kernel/ptrace.c), of Yama's `ptrace_scope`, and of the capabilities:
//! a process may read another with `CAP_SYS_PTRACE`, or when users and capabilities are the same and the other side
//! has not been made unreadable. What no rule explains is put down to a security module.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::error::Error;
use crate::target::process::{Process, Status};

const CAP_SYS_PTRACE: u64 = 1 << 19;

/// The rule that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It belongs to another user, and we are not root.
    OtherUser { theirs: u32, ours: u32 },
    /// We are root, but `CAP_SYS_PTRACE` was taken from us, as containers do.
    RootWithoutCapability,
    /// Yama's `ptrace_scope`: 1 parents only, 2 administrators only, 3 nobody.
    PtraceScope(u8),
    /// It has made itself unreadable, or runs with another user's rights (setuid).
    NotDumpable,
    /// It holds capabilities that we have not.
    MoreCapable,
    /// It lives in a user namespace in which our rights count for nothing.
    OtherUserNamespace,
    /// `/proc` shows only our own processes (hidepid).
    Hidden,
    /// None of these: SELinux, AppArmor or a filter on our own system calls. The label is the target's, if it has one.
    SecurityModule { label: Option<String> },
}

/// What the kernel says of both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Facts {
    ours: Status,
    theirs: Status,
    ptrace_scope: u8,
    dumpable: bool,
    same_user_namespace: bool,
    label: Option<String>,
}

/// The error to report when reading the process was refused.
pub fn denied(process: &Process) -> Error {
    let facts = Facts::gather(process);
    let denial = facts.judge();
    let contained = facts.theirs.namespace_pids.len() > 1;
    Error::Denied {
        pid: process.pid,
        reason: denial.reason(contained),
        hint: denial.hint(process.pid, contained),
    }
}

/// The error to report when there are no entries of the process: it may only be hidden.
pub fn missing(process: &Process) -> Error {
    let pid = process.pid;
    let exists = libc::pid_t::try_from(pid).is_ok_and(|raw| kill(Pid::from_raw(raw), None) != Err(Errno::ESRCH));
    if !exists || process.exists() {
        return Error::NoSuchProcess { pid };
    }
    Error::Denied {
        pid,
        reason: Denial::Hidden.reason(false),
        hint: Denial::Hidden.hint(pid, false),
    }
}

impl Facts {
    /// What cannot be read counts as the harmless case, so that it is not blamed.
    fn gather(process: &Process) -> Facts {
        let proc = process.root();
        let ours = fs::read_to_string(proc.path("self/status")).unwrap_or_default();
        let user_map = |pid: &str| fs::read_to_string(proc.path(pid).join("uid_map")).ok();
        let scope = fs::read_to_string(proc.path("sys/kernel/yama/ptrace_scope")).ok();
        let theirs = process.status().unwrap_or_default();
        Facts {
            ours: Status::parse(&ours),
            ptrace_scope: scope.and_then(|text| text.trim().parse().ok()).unwrap_or(0),
            dumpable: is_dumpable(process, theirs.uid),
            same_user_namespace: user_map("self") == user_map(&process.pid.to_string()),
            label: label(process),
            theirs,
        }
    }

    fn judge(&self) -> Denial {
        let capable = self.ours.effective_capabilities & CAP_SYS_PTRACE != 0;
        let unknown = || Denial::SecurityModule {
            label: self.label.clone(),
        };
        match self {
            _ if self.ptrace_scope >= 3 => Denial::PtraceScope(self.ptrace_scope),
            _ if capable && !self.same_user_namespace => Denial::OtherUserNamespace,
            _ if capable => unknown(),
            _ if self.ours.uid == 0 => Denial::RootWithoutCapability,
            _ if self.ours.uid != self.theirs.uid => Denial::OtherUser {
                theirs: self.theirs.uid,
                ours: self.ours.uid,
            },
            _ if !self.dumpable => Denial::NotDumpable,
            _ if self.theirs.permitted_capabilities & !self.ours.permitted_capabilities != 0 => Denial::MoreCapable,
            _ if !self.same_user_namespace => Denial::OtherUserNamespace,
            _ if self.ptrace_scope > 0 => Denial::PtraceScope(self.ptrace_scope),
            _ => unknown(),
        }
    }
}

/// The kernel gives the entries of a process that may not be dumped to root (`task_dump_owner` in fs/proc/base.c).
fn is_dumpable(process: &Process, uid: u32) -> bool {
    fs::metadata(process.entry("maps")).map_or(true, |metadata| metadata.uid() == uid)
}

fn label(process: &Process) -> Option<String> {
    let text = fs::read_to_string(process.entry("attr/current")).ok()?;
    let label = text.trim_end_matches(['\0', '\n']).replace(char::is_control, " ");
    (!label.is_empty() && label != "unconfined").then_some(label)
}

impl Denial {
    fn reason(&self, contained: bool) -> String {
        let place = if contained { ", inside a container" } else { "" };
        match self {
            Denial::OtherUser { theirs, ours } => {
                format!("it runs as user {theirs}{place}, pymemscope as user {ours} without CAP_SYS_PTRACE")
            }
            Denial::RootWithoutCapability => {
                "pymemscope runs as root, but without CAP_SYS_PTRACE, as in most containers".to_owned()
            }
            Denial::PtraceScope(1) => {
                "kernel.yama.ptrace_scope is 1, so that a process may only read those it has started".to_owned()
            }
            Denial::PtraceScope(2) => {
                "kernel.yama.ptrace_scope is 2, so that only CAP_SYS_PTRACE lets a process read others".to_owned()
            }
            Denial::PtraceScope(scope) => {
                format!("kernel.yama.ptrace_scope is {scope}, so that no process may read another until the next boot")
            }
            Denial::NotDumpable => {
                "it runs with rights that its user does not have (setuid), or has made itself unreadable (PR_SET_DUMPABLE)"
                    .to_owned()
            }
            Denial::MoreCapable => format!("it holds capabilities that pymemscope does not have{place}"),
            Denial::OtherUserNamespace => format!("it lives in another user namespace{place}"),
            Denial::Hidden => "it exists, but /proc is mounted so that it shows no process of others (hidepid)".to_owned(),
            Denial::SecurityModule { label: Some(label) } => {
                format!("users and capabilities allow it, but a security module does not (its label is {label})")
            }
            Denial::SecurityModule { label: None } => {
                "users and capabilities allow it, but the kernel does not: a security module or a seccomp filter".to_owned()
            }
        }
    }

    fn hint(&self, pid: u32, contained: bool) -> String {
        let sudo = format!("run it as root: sudo pymemscope attach {pid}");
        match self {
            Denial::OtherUser { .. } | Denial::OtherUserNamespace | Denial::MoreCapable if contained => {
                format!("{sudo} (outside the container)")
            }
            Denial::OtherUser { .. }
            | Denial::NotDumpable
            | Denial::MoreCapable
            | Denial::PtraceScope(2)
            | Denial::Hidden => sudo,
            Denial::RootWithoutCapability => "start the container with --cap-add=SYS_PTRACE (Kubernetes: add SYS_PTRACE \
                to securityContext.capabilities), or run pymemscope as root on the host"
                .to_owned(),
            Denial::PtraceScope(1) => {
                format!("{sudo}; or start the program with `pymemscope run`; or sudo sysctl kernel.yama.ptrace_scope=0")
            }
            Denial::PtraceScope(_) => {
                "set kernel.yama.ptrace_scope to 1 in /etc/sysctl.d and boot again; `pymemscope run` is refused likewise"
                    .to_owned()
            }
            Denial::OtherUserNamespace => "run pymemscope as root in the outermost user namespace (on the host)".to_owned(),
            Denial::SecurityModule { .. } => "look for a denial in the kernel's audit log (journalctl -k, ausearch -m avc); \
                in a container try --security-opt apparmor=unconfined or seccomp=unconfined"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::target::process::ProcRoot;

    const PID: u32 = 4242;
    const ALL: &str = "000001ffffffffff";
    const NONE: &str = "0000000000000000";
    const DOCKER: &str = "00000000a80425fb";

    /// A made-up `/proc` in which the same user runs both sides, without capabilities, and nothing is in the way.
    struct System(tempfile::TempDir);

    impl System {
        fn new() -> System {
            let system = System(tempfile::tempdir().unwrap());
            let uid = nix::unistd::geteuid().as_raw();
            for side in ["self", "4242"] {
                system.write(&format!("{side}/uid_map"), "0 0 4294967295\n");
                system.status(side, uid, NONE, "4242");
            }
            system.write("4242/maps", "");
            system
        }

        fn write(&self, entry: &str, text: &str) {
            let path = self.0.path().join(entry);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
            fs::write(path, text).unwrap();
        }

        fn status(&self, side: &str, uid: u32, capabilities: &str, pids: &str) {
            let text = format!(
                "Name:\tpython\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nNSpid:\t{pids}\n\
                 CapPrm:\t{capabilities}\nCapEff:\t{capabilities}\n"
            );
            self.write(&format!("{side}/status"), &text);
        }

        fn process(&self) -> Process {
            Process::below(ProcRoot(self.0.path().to_owned()), PID)
        }

        fn denial(&self) -> Denial {
            Facts::gather(&self.process()).judge()
        }

        fn texts(&self) -> (String, String) {
            let error = denied(&self.process());
            (error.to_string(), error.hint().into_owned())
        }
    }

    /// A user that owns none of the made-up files.
    fn another_user() -> u32 {
        nix::unistd::geteuid().as_raw() + 1000
    }

    /// Both sides belong to the user that owns the made-up files, who must not be root for the rules of plain users.
    fn plain_users(system: &System, change: impl FnOnce(&mut Facts)) -> Denial {
        let mut facts = Facts::gather(&system.process());
        (facts.ours.uid, facts.theirs.uid) = (1000, 1000);
        change(&mut facts);
        facts.judge()
    }

    #[test]
    fn another_users_process_asks_for_root() {
        let system = System::new();
        system.status("self", another_user(), NONE, "7");
        let ours = another_user();
        assert_eq!(
            system.denial(),
            Denial::OtherUser {
                theirs: ours - 1000,
                ours
            }
        );
        assert!(system.texts().1.contains("sudo pymemscope attach 4242"));
        system.status("4242", 100, NONE, "4242 1");
        let (message, hint) = system.texts();
        assert!(
            message.contains("inside a container") && hint.contains("outside the container"),
            "{message} {hint}"
        );
    }

    #[test]
    fn root_without_the_capability_is_told_how_to_get_it() {
        let system = System::new();
        system.status("self", 0, DOCKER, "9");
        assert_eq!(system.denial(), Denial::RootWithoutCapability);
        assert!(system.texts().1.contains("--cap-add=SYS_PTRACE"));
    }

    #[test]
    fn yama_is_blamed_when_only_yama_is_left() {
        for scope in [1, 2] {
            let system = System::new();
            system.write("sys/kernel/yama/ptrace_scope", &format!("{scope}\n"));
            assert_eq!(plain_users(&system, |_| {}), Denial::PtraceScope(scope));
            assert_eq!(
                plain_users(&system, |facts| facts.dumpable = false),
                Denial::NotDumpable
            );
        }
        let system = System::new();
        system.write("sys/kernel/yama/ptrace_scope", "3\n");
        system.status("self", 0, ALL, "9");
        assert_eq!(system.denial(), Denial::PtraceScope(3));
        assert!(system.texts().1.contains("boot again"));
    }

    #[test]
    fn an_unreadable_process_is_told_by_its_owner() {
        let system = System::new();
        system.status("4242", another_user(), NONE, "4242");
        system.status("self", another_user(), NONE, "9");
        assert_eq!(system.denial(), Denial::NotDumpable);
    }

    #[test]
    fn capabilities_and_namespaces_of_the_target_count() {
        let system = System::new();
        system.status("4242", 1000, DOCKER, "4242");
        assert_eq!(plain_users(&system, |facts| facts.dumpable = true), Denial::MoreCapable);
        let system = System::new();
        system.write("4242/uid_map", "0 100000 65536\n");
        assert_eq!(plain_users(&system, |_| {}), Denial::OtherUserNamespace);
        system.status("self", 0, ALL, "9");
        assert_eq!(system.denial(), Denial::OtherUserNamespace);
    }

    #[test]
    fn what_no_rule_explains_is_a_security_module() {
        let system = System::new();
        system.status("self", 0, ALL, "9");
        system.write("4242/attr/current", "docker-default (enforce)\n");
        assert_eq!(
            system.denial(),
            Denial::SecurityModule {
                label: Some("docker-default (enforce)".to_owned())
            }
        );
        assert!(system.texts().0.contains("docker-default"));
    }
}
