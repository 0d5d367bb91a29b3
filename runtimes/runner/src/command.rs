//! Runs a command with all it starts: its lines as they come, its end, and an end when it is asked for.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::error::RunError;

/// How many of its last lines are kept.
const TAIL: usize = 20;

/// The longest line; what is longer comes in parts.
const LONGEST_LINE: usize = 64 << 10;

/// How long a command may take to stop after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// How long its output is read after its end.
const DRAIN: Duration = Duration::from_secs(2);

/// How often `tick` is called.
const TICK: Duration = Duration::from_millis(200);

/// Becomes true when the run is to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// Does something that may take long and can be given up at any moment, unless the run is to stop.
pub(crate) async fn unless_stopped<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    let mut stop = stop.clone();
    tokio::select! {
        outcome = work => outcome,
        _ = stop.wait_for(|stop| *stop) => Err(RunError::Cancelled),
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Because the run is to stop.
    Cancelled,
    /// Because it took too long.
    TimedOut,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    /// Its last lines.
    pub(crate) tail: Vec<String>,
}

/// Who hears of a running command.
pub(crate) trait Listener {
    /// It wrote a line.
    fn line(&mut self, line: &str);
    /// A moment has passed.
    fn tick(&mut self) {}
}

/// Everything that a command starts in its group; killed when this goes.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        // A group that is gone needs no signal.
        let _ = self.0.map(|leader| kill_process_group(leader, signal));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Runs a command to its end.
pub(crate) async fn run(
    mut command: Command,
    stop: &Stop,
    timeout: Option<Duration>,
    listener: &mut impl Listener,
) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0);
    let mut child = command.spawn()?;
    // The command holds the writing end; it must go for the reading end to see the end.
    drop(command);
    let group = Group(
        child
            .id()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)),
    );
    let mut output = Output {
        pipe: Some(pipe::Receiver::from_owned_fd(reader.into())?),
        lines: Lines::default(),
    };
    let mut stop = stop.clone();
    let mut asked: Option<Ending> = None;
    let mut kill_at = None;
    let timeout = timeout.map(|timeout| Instant::now() + timeout);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let status = loop {
        tokio::select! {
            read = output.read(), if output.pipe.is_some() => read?.iter().for_each(|line| listener.line(line)),
            status = child.wait() => break status?,
            _ = stop.wait_for(|stop| *stop), if asked.is_none() => {
                asked = Some(Ending::Cancelled);
                kill_at = Some(Instant::now() + GRACE);
                group.signal(Signal::TERM);
            }
            () = at(timeout), if asked.is_none() => {
                asked = Some(Ending::TimedOut);
                kill_at = Some(Instant::now() + GRACE);
                group.signal(Signal::TERM);
            }
            () = at(kill_at) => {
                group.signal(Signal::KILL);
                kill_at = None;
            }
            _ = ticks.tick() => listener.tick(),
        }
    };
    // The run ends with its command: whatever it left behind in its group would only hold the output open.
    drop(group);
    let drained = Instant::now() + DRAIN;
    while output.pipe.is_some() {
        tokio::select! {
            read = output.read() => read?.iter().for_each(|line| listener.line(line)),
            () = at(Some(drained)) => break,
        }
    }
    output
        .lines
        .finish()
        .iter()
        .for_each(|line| listener.line(line));
    listener.tick();
    Ok(Ended {
        ending: asked.unwrap_or(Ending::Exited(status)),
        tail: output.lines.tail.into(),
    })
}

/// Waits for a moment; without one, for ever.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

struct Output {
    pipe: Option<pipe::Receiver>,
    lines: Lines,
}

impl Output {
    /// The next whole lines; the pipe goes when it has ended.
    async fn read(&mut self) -> io::Result<Vec<String>> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(Vec::new());
        };
        let mut buffer = vec![0; 16 << 10];
        match pipe.read(&mut buffer).await? {
            0 => {
                self.pipe = None;
                Ok(Vec::new())
            }
            length => Ok(self.lines.take(buffer.get(..length).unwrap_or_default())),
        }
    }
}

/// Cuts bytes into lines and remembers the last ones.
#[derive(Default)]
struct Lines {
    unfinished: Vec<u8>,
    tail: VecDeque<String>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.unfinished.len() >= LONGEST_LINE {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// The unfinished line, if any.
    fn finish(&mut self) -> Option<String> {
        if self.unfinished.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.unfinished);
        let line = String::from_utf8_lossy(&bytes)
            .trim_end_matches(['\n', '\r'])
            .to_owned();
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        Some(line)
    }
}

/// How an exit status is told to people.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (_, Some(9)) => "signal 9 (killed; perhaps the machine ran out of memory)".to_owned(),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "an unknown status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Listener for Heard {
        fn line(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        command
    }

    async fn outcome(script: &str, stop: &Stop, timeout: Option<Duration>) -> (Ended, Vec<String>) {
        let mut heard = Heard::default();
        let ended = run(shell(script), stop, timeout, &mut heard).await.unwrap();
        (ended, heard.0)
    }

    #[tokio::test]
    async fn lines_of_both_streams_and_the_status() {
        let (_keep, stop) = watch::channel(false);
        let (ended, lines) =
            outcome("echo one; echo two >&2; printf three; exit 3", &stop, None).await;
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(ended.tail, lines);
        assert!(matches!(ended.ending, Ending::Exited(status) if status.code() == Some(3)));
        let (ended, lines) = outcome("for i in $(seq 1000); do echo $i; done", &stop, None).await;
        assert_eq!((lines.len(), ended.tail.len()), (1000, TAIL));
    }

    #[tokio::test]
    async fn what_it_leaves_behind_is_ended() {
        let (_keep, stop) = watch::channel(false);
        let begun = Instant::now();
        let (_, lines) = outcome("sleep 1000 & echo $!", &stop, None).await;
        assert!(
            begun.elapsed() < Duration::from_secs(100),
            "it does not wait for what was left"
        );
        let pid = Pid::from_raw(lines[0].parse().unwrap()).unwrap();
        while rustix::process::test_kill_process(pid).is_ok() {
            // Killed, but perhaps not yet buried by whoever inherited it.
            let stat =
                std::fs::read_to_string(format!("/proc/{}/stat", lines[0])).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(100), "{stat}");
            if stat.contains(") Z ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn too_long_and_cancelled_are_told_apart() {
        let (sender, stop) = watch::channel(false);
        let (ended, lines) = outcome(
            "trap 'echo bye; exit 1' TERM; while :; do sleep 0.01; done",
            &stop,
            Some(Duration::from_millis(100)),
        )
        .await;
        assert_eq!(ended.ending, Ending::TimedOut);
        assert_eq!(lines.last().map(String::as_str), Some("bye"));
        let canceller = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            sender.send_replace(true);
        };
        let (ended, ()) = futures::join!(outcome("sleep 1000", &stop, None), canceller);
        assert_eq!(ended.0.ending, Ending::Cancelled);
    }
}
