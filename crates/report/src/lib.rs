//! Records to tables, figures, verdicts and pages.
