//! Signals of a run or a series of images: a stop that is asked for, and a pause.
//!
//! A thread waits for them from the start of the command to its end. While trials run, the
//! scheduler decides what happens; a command of a study may decide, too. Else a stop ends the command
//! at once with exit code 130. A signal that was ignored when the command began stays ignored, as
//! `nohup` wants.

use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Ctrl-C, SIGTERM, SIGHUP: stop; asked again, at once.
    Stop,
    /// SIGUSR1, which batch systems send some time before the end: stop, but never at once.
    StopSoon,
    /// Ctrl-Z.
    Pause,
}

/// Of one stop, a terminal or a batch system may send two signals; a person is slower.
pub const ONE_STOP: Duration = Duration::from_millis(500);

type Route = Box<dyn Fn(Asked) + Send>;

/// Who decides at the moment.
static ROUTE: Mutex<Option<Route>> = Mutex::new(None);

/// The signals that only the scheduler may answer.
const SHIELDED: [Signal; 4] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
];

/// Begins to wait for signals; called once, before anything that takes long.
pub(crate) fn install() -> Result<(), Failure> {
    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGTSTP];
    let wanted = wanted
        .into_iter()
        .filter(|&signal| ignored & (1 << (signal - 1)) == 0);
    let wrong = |error| Failure::usage(format!("signals cannot be waited for: {error}"));
    let mut signals = Signals::new(wanted).map_err(wrong)?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            answer(match signal {
                SIGTSTP => Asked::Pause,
                SIGUSR1 => Asked::StopSoon,
                _ => Asked::Stop,
            });
        }
    });
    Ok(())
}

fn answer(asked: Asked) {
    let route = ROUTE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    match (&*route, asked) {
        (Some(route), _) => route(asked),
        (None, Asked::Pause) => pause(),
        (None, Asked::Stop | Asked::StopSoon) => {
            // Files are replaced whole, so that there is no bad moment.
            Failure::Interrupted.print();
            std::process::exit(130);
        }
    }
}

/// While it lives, signals go to whoever holds it.
pub struct Routed;

/// Hands signals to `route` until the result is dropped.
pub fn route(route: impl Fn(Asked) + Send + 'static) -> Routed {
    set(Some(Box::new(route)));
    Routed
}

impl Drop for Routed {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(route: Option<Route>) {
    *ROUTE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = route;
}

/// Stops this process as Ctrl-Z does; returns when it goes on.
pub fn pause() {
    let _ = kill(Pid::this(), Signal::SIGSTOP);
}

/// Runs `start` so that a process it starts never sees the signals that the scheduler answers.
///
/// The process inherits that they are blocked, from its first moment on.
pub(crate) fn shielded<T>(start: impl FnOnce() -> T) -> T {
    let set: SigSet = SHIELDED.into_iter().collect();
    let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let result = start();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    result
}

/// A bit for each signal that was ignored when the command began, where the system shows it.
///
/// Without `/proc` none is seen, and `nohup` needs `setsid` beside it.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
