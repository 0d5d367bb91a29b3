//! What the end of a job means: whether it succeeded, and if not, why.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::durable;
use crate::messages::{Exit, JobFailure, JobFailureCause, JobStatus};

/// The largest result that is taken.
const LARGEST_RESULT: u64 = 1 << 20;

/// How a job is from now on, and the result it wrote.
pub(super) type Verdict = (JobStatus, Option<Value>);

/// All that is known of the end of a job.
pub(super) struct End {
    /// Why it was being stopped, if it was.
    pub(super) stopping: Option<JobFailureCause>,
    /// What it was given.
    pub(super) timeout: Duration,
    /// Whether a process of the command ever existed.
    pub(super) began: bool,
    /// How the process ended.
    pub(super) exit: Exit,
}

impl End {
    /// Judges the end, with the result that the job wrote or what is wrong with it.
    pub(super) fn judge(self, result: Result<Option<Value>, String>) -> Verdict {
        if self.exit.success() {
            // A job that came to its end while it was being stopped has done its work.
            return match result {
                Ok(result) => (JobStatus::Succeeded, result),
                Err(problem) => {
                    let cause = JobFailureCause::BadResult;
                    (failed(cause, Some(self.exit), problem), None)
                }
            };
        }
        let result = result.ok().flatten();
        let ended = self.exit.to_string();
        let (cause, message) = match (self.stopping, self.exit.code, self.exit.signal) {
            (Some(JobFailureCause::TimedOut), ..) => {
                let limit = self.timeout;
                let message =
                    format!("it was stopped because it took longer than {limit:?}: {ended}");
                (JobFailureCause::TimedOut, message)
            }
            (Some(cause), ..) => (cause, format!("it was cancelled: {ended}")),
            (None, None, None) if self.began => (JobFailureCause::Lost, ended),
            (None, None, None) => (JobFailureCause::NotStarted, ended),
            (None, ..) => (JobFailureCause::Exited, ended),
        };
        (failed(cause, Some(self.exit), message), result)
    }
}

/// A failure.
pub(super) fn failed(cause: JobFailureCause, exit: Option<Exit>, message: String) -> JobStatus {
    JobStatus::Failed(JobFailure {
        cause,
        exit,
        message,
    })
}

/// The result that a job wrote, if any.
pub(super) fn read_result(path: &Path) -> Result<Option<Value>, String> {
    let length = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("its result cannot be read: {error}")),
    };
    if length > LARGEST_RESULT {
        return Err(format!(
            "its result has {length} bytes, more than {LARGEST_RESULT}: write large things to files"
        ));
    }
    durable::read_json(path).map_err(|error| format!("its result is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_within_limits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        assert_eq!(read_result(&path), Ok(None));
        std::fs::write(&path, r#"{"auc": 0.9}"#).unwrap();
        let result = serde_json::json!({"auc": 0.9});
        assert_eq!(read_result(&path), Ok(Some(result)));
        std::fs::write(&path, r#"{"auc": "#).unwrap();
        assert!(read_result(&path).unwrap_err().contains("not JSON"));
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(LARGEST_RESULT + 1).unwrap();
        assert!(read_result(&path).unwrap_err().contains("large"));
    }

    #[test]
    fn the_work_of_a_job_that_was_being_stopped_counts_when_it_is_done() {
        let end = |code, stopping| End {
            stopping,
            timeout: Duration::from_secs(5),
            began: true,
            exit: Exit {
                code: Some(code),
                signal: None,
                error: None,
                at: jiff::Timestamp::UNIX_EPOCH,
            },
        };
        let cancelled = Some(JobFailureCause::Cancelled);
        assert_eq!(end(0, cancelled).judge(Ok(None)).0, JobStatus::Succeeded);
        let cause = |verdict: Verdict| match verdict.0 {
            JobStatus::Failed(failure) => Some(failure.cause),
            _ => None,
        };
        assert_eq!(cause(end(1, cancelled).judge(Ok(None))), cancelled);
        let bad = end(0, None).judge(Err("not JSON".to_owned()));
        assert_eq!(cause(bad), Some(JobFailureCause::BadResult));
        let late = end(1, Some(JobFailureCause::TimedOut)).judge(Ok(None));
        assert_eq!(cause(late), Some(JobFailureCause::TimedOut));
    }
}
