//! How long to wait before what failed is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double from one failure to the next, up to a limit, with jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The wait after one more failure.
    pub(super) fn after_failure(&mut self) -> Duration {
        let wait = self.next.mul_f64(0.8 + 0.4 * fastrand::f64());
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// It has been well for long enough.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_limit_and_start_over() {
        let mut backoff = Backoff::new();
        let mut expected = FIRST;
        for _ in 0..20 {
            let wait = backoff.after_failure();
            assert!(
                wait >= expected.mul_f64(0.79) && wait <= expected.mul_f64(1.21),
                "{wait:?} of {expected:?}"
            );
            expected = (expected * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.after_failure() <= FIRST.mul_f64(1.21));
    }
}
