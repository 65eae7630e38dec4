//! The worker process: one trial, from its job on standard input to its record.
//!
//! A worker ends at once when its scheduler goes away (its standard input closes): whatever it
//! has not recorded is done again, and records are atomic. It never sees the signals that ask a run
//! to stop: the scheduler says so on its standard input.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use retrial_core::event::Event;

use super::context::{Context, TrialError};
use super::folder::TrialFolders;
use super::job::{EXIT_ELSEWHERE, EXIT_HELD, EXIT_STOPPED, Job, STOP_LINE};
use super::{lease, record_file};
use crate::program::Program;

/// Exit code of a worker whose scheduler went away.
const EXIT_ORPHANED: i32 = 74;

/// Runs the one job on standard input.
pub(crate) fn main(program: &Program) -> ExitCode {
    // The program was started by a name that says nothing; elsewhere than on Linux this does
    // nothing.
    let _ = std::fs::write("/proc/self/comm", "retrial");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let job: Job = match read
        .map_err(|e| e.to_string())
        .and_then(|_| serde_json::from_str(&line).map_err(|error| error.to_string()))
    {
        Ok(job) => job,
        Err(error) => {
            eprintln!("a worker needs a job on its standard input: {error}");
            return ExitCode::from(2);
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    watch_scheduler(stop.clone());
    match execute(program, job, stop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Held) => exit(EXIT_HELD),
        Err(Ended::Elsewhere) => exit(EXIT_ELSEWHERE),
        Err(Ended::Error(TrialError::Stopped)) => exit(EXIT_STOPPED),
        Err(Ended::Error(error)) => {
            let event = Event::Failed {
                cause: "error".to_owned(),
                error: error.to_string(),
            };
            let text = serde_json::to_string(&event).unwrap_or_default();
            let _ = writeln!(std::io::stdout().lock(), "{text}");
            ExitCode::FAILURE
        }
    }
}

enum Ended {
    Held,
    Elsewhere,
    Error(TrialError),
}

impl<E: Into<TrialError>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

fn execute(program: &Program, job: Job, stop: Arc<AtomicBool>) -> Result<(), Ended> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    limit_memory(job.memory_mib)?;
    let study = program
        .study(&job.study)
        .ok_or_else(|| TrialError::Other(format!("there is no study `{}`", job.study)))?;
    let folders = TrialFolders::new(&job.results, &job.study, &job.experiment, &job.trial);
    let Some(_lease) = lease::try_take(&folders.lease)? else {
        return Err(Ended::Held);
    };
    // Another run may have recorded it between the plan and the lease.
    if folders.is_recorded() {
        lease::discard(&folders.lease);
        return Err(Ended::Elsewhere);
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(job.threads)
        .build_global()
        .map_err(|error| TrialError::Other(format!("no threads: {error}")))?;
    let mut context = Context::open(job, study.info(), folders, stop)?;
    study.run(&mut context)?;
    let lease_path = context.folders.lease.clone();
    record_file::finish(context, started, clock.elapsed().as_secs_f64())?;
    lease::discard(&lease_path);
    Ok(())
}

fn limit_memory(memory_mib: Option<u64>) -> Result<(), TrialError> {
    use nix::sys::resource::{Resource, setrlimit};
    let Some(bytes) = memory_mib.map(|mib| mib.saturating_mul(1024 * 1024)) else {
        return Ok(());
    };
    setrlimit(Resource::RLIMIT_AS, bytes, bytes)
        .map_err(|error| TrialError::Other(format!("the memory limit cannot be set: {error}")))
}

fn watch_scheduler(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lock().lines();
        while let Some(Ok(line)) = lines.next() {
            if line == STOP_LINE {
                stop.store(true, Ordering::Relaxed);
            }
        }
        std::process::exit(EXIT_ORPHANED);
    });
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
