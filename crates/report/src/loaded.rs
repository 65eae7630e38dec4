//! What is read of a results folder, a file at a time.

use crate::error::ReportError;

/// Largest record or sheet that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// What a file of a results folder holds, or why it is damaged; an error where it may be sound and
/// cannot be read, by this program or at all.
pub type Loaded<T> = Result<Result<T, String>, ReportError>;
