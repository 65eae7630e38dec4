//! What a person or a program reads: lines, tables and JSON on standard output, advice on standard error.

use comfy_table::{ContentArrangement, Table, presets};

use crate::failure::Failure;

/// As `println!`, but a full disk behind standard output is an error, not a panic.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => {
        $crate::write_line(format_args!($($argument)*))
    };
}

/// As the macro of the standard library, but a reader that went away is no reason to die: what
/// goes to standard error is advice, and a run must not end because nobody listens.
#[macro_export]
macro_rules! eprintln {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

/// As [`eprintln`], without the end of the line.
#[macro_export]
macro_rules! eprint {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($argument)*);
    }};
}

/// Writes a line to standard output; what cannot be written ends the program with exit code 5.
///
/// A reader that went away is no fault: the verbs that print facts have ended by then, and a run
/// has more to do than to talk.
pub fn write_line(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}")
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(5);
    }
}

/// A table for the terminal.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    // A pipe has no width, and some pseudo-terminals say 0.
    if table.width().is_none_or(|width| width < 40) {
        table.set_width(140);
    }
    table
}

/// Prints facts for programs.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::storage(format!("no JSON: {error}")))?;
    say!("{text}");
    Ok(())
}

/// Seconds as a person says them.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 0.95 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}
