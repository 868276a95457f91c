//! Counts probe results: a result counts after enough of the same in a row.
//!
//! Source: `pkg/kubelet/prober/worker.go`.

/// The outcome of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure(String),
}

/// The results of one probe so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    success_threshold: u32,
    failure_threshold: u32,
    in_a_row: u32,
    last_was_success: Option<bool>,
}

impl Tally {
    pub(super) fn new(success_threshold: u32, failure_threshold: u32) -> Self {
        Self {
            success_threshold: success_threshold.max(1),
            failure_threshold: failure_threshold.max(1),
            in_a_row: 0,
            last_was_success: None,
        }
    }

    /// Counts an outcome; returns it once it holds.
    pub(super) fn count(&mut self, success: bool) -> Option<bool> {
        if self.last_was_success == Some(success) {
            self.in_a_row += 1;
        } else {
            self.last_was_success = Some(success);
            self.in_a_row = 1;
        }
        let threshold = if success {
            self.success_threshold
        } else {
            self.failure_threshold
        };
        (self.in_a_row >= threshold).then_some(success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_must_come_in_a_row() {
        let mut tally = Tally::new(2, 3);
        assert_eq!(tally.count(true), None);
        assert_eq!(tally.count(false), None);
        assert_eq!(tally.count(true), None);
        assert_eq!(tally.count(true), Some(true));
        assert_eq!([tally.count(false), tally.count(false)], [None, None]);
        assert_eq!(tally.count(false), Some(false));
    }
}
