//! What a person sees of a run: one bar for all trials and one line a worker on a terminal, one
//! line a finished trial elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use retrial_core::event::Event;

/// The display of a run.
pub(crate) struct Display {
    bars: MultiProgress,
    overall: ProgressBar,
    workers: Vec<ProgressBar>,
    terminal: bool,
    total: usize,
    done: usize,
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
            terminal,
            total,
            done: 0,
        }
    }

    /// A worker takes up a trial.
    pub(crate) fn started(&self, slot: usize, name: &str) {
        let bar = &self.workers[slot];
        bar.reset();
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// A worker says something.
    pub(crate) fn event(&self, slot: usize, name: &str, event: &Event) {
        let bar = &self.workers[slot];
        match event {
            Event::Progress { done, total, unit } => {
                bar.set_message(format!("{name}  {done}/{total} {unit}"));
            }
            Event::Waiting { stage, .. } => {
                bar.set_message(format!("{name}  waits for the stage `{stage}`"));
            }
            _ => {}
        }
    }

    /// A worker ended without ending its trial for good.
    pub(crate) fn idle(&self, slot: usize) {
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
    pub(crate) fn note(&self, line: &str) {
        if self.terminal {
            let _ = self.bars.println(line);
        } else {
            eprintln!("{line}");
        }
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
