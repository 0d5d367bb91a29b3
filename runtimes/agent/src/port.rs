//! Loopback ports: picks free ones, and says who holds a taken one.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt;

/// Picked ports lie below those that the kernel gives to outgoing connections (32768 and up), so that none of these
/// takes a service's port while it restarts.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Who holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pid: i32,
    name: String,
}

/// A port that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    port: u16,
    holder: Option<Holder>,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {} is in use", self.port)?;
        match &self.holder {
            Some(holder) => write!(
                f,
                " by process {} ({}): stop it, or choose another port",
                holder.pid, holder.name
            ),
            None => write!(f, " by a process that cannot be seen: choose another port"),
        }
    }
}

/// A port that is free now and not among `reserved`. The same seed finds the same port where it can.
///
/// # Errors
/// When none is free.
pub fn pick(seed: &str, reserved: &BTreeSet<u16>) -> io::Result<u16> {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let offset = u16::try_from(hasher.finish() % u64::from(COUNT)).unwrap_or(0);
    for step in 0..COUNT {
        let port = FIRST + (offset + step) % COUNT;
        if !reserved.contains(&port) && bind(port).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other(format!(
        "no port from {FIRST} to {} is free",
        FIRST + COUNT - 1
    )))
}

/// Whether a port is free now; if not, who holds it.
///
/// # Errors
/// When the port cannot be tried, for another reason than that it is in use.
pub fn check(port: u16) -> io::Result<Result<(), Taken>> {
    match bind(port) {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(Err(Taken {
            port,
            holder: holder(port),
        })),
        Err(error) => Err(error),
    }
}

fn bind(port: u16) -> io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

/// Finds who listens, as far as this user may see it.
fn holder(port: u16) -> Option<Holder> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = descriptors
            .flatten()
            .filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .any(|target| {
                sockets
                    .iter()
                    .any(|socket| socket.as_bytes() == target.as_os_str().as_bytes())
            });
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(Holder {
                pid,
                name: name.trim().to_owned(),
            });
        }
    }
    None
}

/// The inodes of the listening sockets of a port in a table of `/proc/net`.
fn listeners(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    let rows = table
        .lines()
        .map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|row| {
        row.get(1).is_some_and(|local| local.ends_with(&suffix))
            && row.get(3).is_some_and(|state| *state == LISTEN)
    })
    .filter_map(|row| row.get(9).map(|inode| (*inode).to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_holder() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = check(port).unwrap().unwrap_err();
        assert_eq!(
            taken.holder.as_ref().unwrap().pid,
            i32::try_from(std::process::id()).unwrap()
        );
        assert!(
            taken
                .to_string()
                .contains(&format!("port {port} is in use by process")),
            "{taken}"
        );
        drop(listener);
        assert_eq!(check(port).unwrap(), Ok(()));
    }

    #[test]
    fn picking_is_stable_and_avoids_the_reserved() {
        let first = pick("a seed", &BTreeSet::new()).unwrap();
        assert_eq!(pick("a seed", &BTreeSet::new()).unwrap(), first);
        assert_ne!(pick("a seed", &BTreeSet::from([first])).unwrap(), first);
    }
}
