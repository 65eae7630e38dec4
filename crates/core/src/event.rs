//! What a running trial reports, one JSON object a line.
//!
//! The worker writes every event that [is kept](Event::is_kept) to the trial's journal and all of them
//! to its standard output, where the scheduler reads them.

use serde::{Deserialize, Serialize};

/// One thing a running trial reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The trial began.
    Started {
        /// Attempt, from 1.
        attempt: u32,
        /// What it goes on from, if not from the start.
        resumed: Option<String>,
    },
    /// How far it is. Not kept.
    Progress {
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// What a unit is: `images`, `epochs`.
        unit: String,
    },
    /// A value by which a person sees how it goes, such as a loss. Not kept.
    Curve {
        /// What is drawn: `d_loss`.
        name: String,
        /// Units done, as of the progress beside it.
        done: u64,
        /// Value, a finite one.
        value: f64,
    },
    /// It waits for a stage that another process builds. Not kept.
    Waiting {
        /// Stage.
        stage: String,
        /// Stage id.
        id: String,
    },
    /// The wait is over. Not kept.
    Waited {
        /// Stage.
        stage: String,
    },
    /// Something damaged or foreign was left out and made anew. Not kept.
    Healed {
        /// What, in words for a person.
        what: String,
    },
    /// A stage's result is there.
    Stage {
        /// Stage.
        name: String,
        /// Stage id.
        id: String,
        /// Content hash of the result.
        content: String,
        /// Whether it was there already.
        reused: bool,
    },
    /// A metric of the trial.
    Metric {
        /// Name in the study's table.
        name: String,
        /// Value; `null` where it is not defined.
        value: Option<f64>,
    },
    /// A file was written beside the journal.
    Artifact {
        /// File name.
        path: String,
        /// Content hash.
        content: String,
        /// Size on disk.
        bytes: u64,
    },
    /// The trial ended well; its record is in place.
    Finished,
    /// The trial ended with an error.
    Failed {
        /// As in the record.
        cause: String,
        /// What a person should read.
        error: String,
    },
}

impl Event {
    /// Whether the event belongs into the journal.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !matches!(
            self,
            Self::Progress { .. }
                | Self::Curve { .. }
                | Self::Waiting { .. }
                | Self::Waited { .. }
                | Self::Healed { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_json_line() {
        let event = Event::Metric {
            name: "rmse".to_owned(),
            value: Some(0.5),
        };
        let line = serde_json::to_string(&event).expect("plain values");
        assert_eq!(line, r#"{"event":"metric","name":"rmse","value":0.5}"#);
        assert_eq!(serde_json::from_str::<Event>(&line).expect("valid"), event);
        assert!(event.is_kept());
    }
}
