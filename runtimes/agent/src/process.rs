//! The identity of a process: a pid alone may be reused, a pid with its start time and boot may not.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};

/// A process that can be told from any other that has or will have the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// The process id.
    pub pid: i32,
    /// Clock ticks from boot to the start of the process (`/proc/<pid>/stat`, field 22).
    pub start: u64,
    /// The boot that `start` counts from (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
}

impl ProcessId {
    /// The identity of the calling process.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn current() -> io::Result<Self> {
        let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        Self::of(pid)
    }

    /// The identity of the process that has this pid now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none (a zombie counts as none), others when `/proc` cannot be read.
    pub fn of(pid: i32) -> io::Result<Self> {
        let stat = Stat::of(pid)?
            .filter(|stat| !stat.zombie)
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            pid,
            start: stat.start,
            boot: boot_id()?,
        })
    }

    /// Whether this very process still runs. A zombie does not.
    pub fn is_alive(&self) -> bool {
        matches!(Self::of(self.pid), Ok(found) if found == *self)
    }

    /// A descriptor that becomes readable when this very process ends; `None` when it has ended already.
    ///
    /// # Errors
    /// When the kernel refuses the descriptor for another reason than a missing process.
    pub fn pidfd(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(None);
        };
        match rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK) {
            // The check comes after the descriptor was opened: what it shows then is what the descriptor holds.
            Ok(fd) => Ok(self.is_alive().then_some(fd)),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a signal to this very process; a process that has ended is no error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(fd) = self.pidfd()? else {
            return Ok(());
        };
        match rustix::process::pidfd_send_signal(fd, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a signal to the process group that this process leads; an ended one is no error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn signal_group(&self, signal: Signal) -> io::Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(());
        };
        match rustix::process::kill_process_group(pid, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What `/proc/<pid>/stat` says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process id.
    pub pid: i32,
    /// Whether it has ended and waits for its parent to notice.
    pub zombie: bool,
    /// Its parent.
    pub parent: i32,
    /// Its session.
    pub session: i32,
    /// Clock ticks from boot to its start.
    pub start: u64,
}

impl Stat {
    /// What the kernel says of this pid; `None` when there is no such process.
    ///
    /// # Errors
    /// When `/proc` cannot be read or reads otherwise than documented.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(text) => text,
            Err(error) if gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        Self::parse(pid, &text)
            .map(Some)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat reads {text:?}")))
    }

    /// All processes that can be seen.
    ///
    /// # Errors
    /// When `/proc` cannot be listed.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            all.extend(Self::of(pid)?);
        }
        Ok(all)
    }

    fn parse(pid: i32, text: &str) -> Option<Self> {
        // The command name stands in parentheses and may hold anything, so the fields are counted from the last one.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            zombie: matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
        })
    }
}

/// Whether `/proc` says that the process is no more; a read can also end in ESRCH.
fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// The boot that this machine is in.
fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_itself_and_no_other() {
        let me = ProcessId::current().unwrap();
        assert!(me.is_alive());
        assert!(
            !ProcessId {
                start: me.start + 1,
                ..me.clone()
            }
            .is_alive(),
            "a reused pid is not ours"
        );
        assert!(
            !ProcessId {
                boot: "another".into(),
                ..me
            }
            .is_alive(),
            "a pid of an earlier boot is not ours"
        );
    }

    #[test]
    fn a_command_name_may_hold_anything() {
        let text = "7 (a) R b) c) S 1 7 6 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let stat = Stat::parse(7, text).unwrap();
        assert_eq!(
            stat,
            Stat {
                pid: 7,
                zombie: false,
                parent: 1,
                session: 6,
                start: 4242
            }
        );
        assert_eq!(Stat::parse(7, "7 (cut) S 1 7"), None);
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        // Waits for the end without reaping, so that a zombie is left.
        let options =
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        let id = rustix::process::WaitId::Pid(Pid::from_raw(pid).unwrap());
        rustix::process::waitid(id, options).unwrap();
        assert_eq!(
            ProcessId::of(pid).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        child.wait().unwrap();
        assert_eq!(
            ProcessId::of(pid).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
