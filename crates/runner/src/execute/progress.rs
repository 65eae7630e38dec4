//! What a person sees of a run: one bar for all trials and one line a worker on a terminal;
//! elsewhere a line where a trial begins and where it ends, and now and then what is at work.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use retrial_core::event::Event;

use crate::terminal::duration;

/// How often a run without a terminal says what it is at, when it says nothing else.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The display of a run.
pub(crate) struct Display {
    bars: MultiProgress,
    overall: ProgressBar,
    workers: Vec<ProgressBar>,
    /// What each worker is at.
    at_work: Vec<Option<AtWork>>,
    terminal: bool,
    total: usize,
    done: usize,
    since: Instant,
    last_beat: Instant,
}

struct AtWork {
    name: String,
    since: Instant,
    /// How far it is, in words.
    far: String,
}

impl Display {
    pub(crate) fn new(total: usize, jobs: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let overall = bars.add(ProgressBar::new(total as u64).with_style(style(
            "{bar:30.cyan/dim} {pos}/{len} trials  {elapsed_precise}  left {eta_precise}  {msg}",
        )));
        let workers = (0..jobs)
            .map(|_| bars.add(ProgressBar::new(0).with_style(style("  {spinner} {wide_msg}"))))
            .collect();
        Self {
            bars,
            overall,
            workers,
            at_work: (0..jobs).map(|_| None).collect(),
            terminal,
            total,
            done: 0,
            since: Instant::now(),
            last_beat: Instant::now(),
        }
    }

    /// A worker takes up a trial, which another run may hold.
    pub(crate) fn taken_up(&mut self, slot: usize, name: &str) {
        self.at_work[slot] = Some(AtWork {
            name: name.to_owned(),
            since: Instant::now(),
            far: String::new(),
        });
        let bar = &self.workers[slot];
        bar.reset();
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// A worker says something.
    pub(crate) fn event(&mut self, slot: usize, event: &Event) {
        let Some(work) = &mut self.at_work[slot] else {
            return;
        };
        match event {
            Event::Progress { done, total, unit } => work.far = format!("{done}/{total} {unit}"),
            Event::Waiting { stage, .. } => {
                work.far = format!("waits for the stage `{stage}`, which another trial builds");
            }
            Event::Waited { .. } => work.far = String::new(),
            Event::Started { resumed, .. } if !self.terminal => {
                let from = match resumed {
                    Some(from) => format!(", goes on from {from}"),
                    None => String::new(),
                };
                let line = format!("begun: {}{from}", work.name);
                self.note(&line);
                return;
            }
            Event::Healed { what } => {
                let line = format!("{}  {what}", work.name);
                self.note(&line);
                return;
            }
            _ => return,
        }
        self.workers[slot].set_message(format!("{}  {}", work.name, work.far));
    }

    /// A worker ended without ending its trial for good.
    pub(crate) fn idle(&mut self, slot: usize) {
        self.at_work[slot] = None;
        self.workers[slot].disable_steady_tick();
        self.workers[slot].set_message(String::new());
    }

    /// A trial ended for good.
    pub(crate) fn ended(&mut self, name: &str, what: &str) {
        self.done += 1;
        self.overall.set_position(self.done as u64);
        let line = format!("[{}/{}] {name}  {what}", self.done, self.total);
        self.note(&line);
    }

    /// Prints a line that stays.
    pub(crate) fn note(&mut self, line: &str) {
        self.last_beat = Instant::now();
        if self.terminal {
            let _ = self.bars.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    /// How long until [`Display::heartbeat`] has something to say.
    pub(crate) fn until_heartbeat(&self) -> Duration {
        HEARTBEAT.saturating_sub(self.last_beat.elapsed())
    }

    /// Says what is at work, where nobody sees a bar and nothing was said for a while.
    pub(crate) fn heartbeat(&mut self) {
        if self.last_beat.elapsed() < HEARTBEAT {
            return;
        }
        self.last_beat = Instant::now();
        if self.terminal {
            return;
        }
        let trials: Vec<String> = self
            .at_work
            .iter()
            .flatten()
            .map(|work| {
                let mut facts = vec![duration(work.since.elapsed().as_secs_f64())];
                facts.extend((!work.far.is_empty()).then(|| work.far.clone()));
                format!("{} ({})", work.name, facts.join(", "))
            })
            .collect();
        let since = duration(self.since.elapsed().as_secs_f64());
        let trials = if trials.is_empty() {
            "nothing here; another run has the rest".to_owned()
        } else {
            trials.join("; ")
        };
        self.note(&format!(
            "[{}/{}] after {since}, at work: {trials}",
            self.done, self.total
        ));
    }

    /// Removes the bars.
    pub(crate) fn close(&self) {
        for bar in &self.workers {
            bar.finish_and_clear();
        }
        self.overall.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
