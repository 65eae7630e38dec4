//! Trainings of nets as stages: what stands in their trees, and who looks after them.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use retrial_nets::fit::{
    FitError, NamedLosses, Plan, Rule, State, Supervised, TrainingError, Watch, fit,
};
use retrial_runner::{TrialError, Work, cpu_seconds};
use retrial_store::Tree;

use crate::stage_tree;

/// Shortest time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);

const WEIGHTS: &str = "weights";
const VELOCITIES: &str = "velocities";
const MOMENTS: &str = "moments";
const STEPS: &str = "steps";

/// What a training leaves in the tree of its stage beside weights and what the optimiser remembers, and how its
/// iterations are called.
pub struct Layout {
    /// A list for each of its losses; none where they are not kept.
    pub losses: &'static [&'static str],
    /// What is counted.
    pub unit: &'static str,
}

/// A net after its training.
pub struct Trained<N> {
    /// The net, without automatic differentiation.
    pub net: N,
    /// What the stage leaves of it.
    pub tree: Tree,
}

impl Layout {
    /// The losses in the tree of a training.
    pub fn losses<L: NamedLosses>(&self, tree: &Tree) -> Result<Vec<L>, TrialError> {
        let mut lists = Vec::with_capacity(self.losses.len());
        for name in self.losses {
            lists.push(tree.values::<f64>(name)?);
        }
        let count = lists.iter().map(|list| list.len()).min().unwrap_or(0);
        let of_one = |place: usize| lists.iter().map(|list| list[place]).collect::<Vec<f64>>();
        Ok((0..count).map(|place| L::of(&of_one(place))).collect())
    }

    fn tree<L: NamedLosses>(&self, state: &State<L>, is_adam: bool) -> Result<Tree, TrialError> {
        let mut tree = Tree::new();
        stage_tree::insert_weights(&mut tree, WEIGHTS, &state.weights)?;
        match is_adam {
            true => {
                stage_tree::insert_weights(&mut tree, MOMENTS, &state.moments)?;
                stage_tree::set_number(&mut tree, STEPS, u64::from(state.steps))?;
            }
            false => stage_tree::insert_weights(&mut tree, VELOCITIES, &state.moments)?,
        }
        for (place, name) in self.losses.iter().enumerate() {
            let list = state.losses.iter().map(|losses| losses.values()[place]);
            stage_tree::insert_list(&mut tree, name, list.collect())?;
        }
        Ok(tree)
    }

    fn state<L: NamedLosses>(
        &self,
        done: u64,
        tree: &Tree,
        is_adam: bool,
    ) -> Result<State<L>, TrialError> {
        let steps = match is_adam {
            true => u32::try_from(stage_tree::number(tree, STEPS)?).unwrap_or(u32::MAX),
            false => 0,
        };
        let moments = if is_adam { MOMENTS } else { VELOCITIES };
        Ok(State {
            done,
            weights: stage_tree::weights(tree, WEIGHTS)?,
            moments: stage_tree::weights(tree, moments)?,
            steps,
            losses: self.losses(tree)?,
        })
    }
}

/// Trains a net that lies on the first device of the plan, from where its stage stands; `explain` says what a failed
/// iteration means.
pub fn train<N: Supervised>(
    work: &Work,
    layout: &'static Layout,
    net: N,
    plan: Plan<N>,
    explain: impl FnOnce(&TrainingError) -> String,
) -> Result<Trained<N>, TrialError> {
    let is_adam = matches!(plan.rule, Rule::Adam(_));
    let from = match work.resume()? {
        Some((round, tree)) => Some(layout.state(round, &tree, is_adam)?),
        None => None,
    };
    let owner = Arc::new(Owner {
        work: work.clone(),
        layout,
        is_adam,
        clock: Mutex::new(Clock::new()),
    });
    let watch: Arc<dyn Watch<N::Losses>> = Arc::<Owner>::clone(&owner);
    let (net, state) = fit(net, from, plan, &watch).map_err(|error| match error {
        FitError::Stopped => TrialError::Stopped,
        FitError::Training(error) => TrialError::Other(explain(&error)),
        FitError::Kept(error) => match error.downcast() {
            Ok(error) => *error,
            Err(error) => TrialError::of(error),
        },
        FitError::Weights(_) | FitError::Burn(_) => TrialError::of(error),
    })?;
    let clock = owner.clock();
    if clock.iterations > 0 {
        work.took(clock.spent / f64::from(clock.iterations));
    }
    Ok(Trained {
        net,
        tree: layout.tree(&state, is_adam)?,
    })
}

/// The stage whose training it is.
struct Owner {
    work: Work,
    layout: &'static Layout,
    is_adam: bool,
    clock: Mutex<Clock>,
}

struct Clock {
    saved: Instant,
    /// CPU seconds of the process when the iteration began.
    begun: f64,
    /// CPU seconds of iterations.
    spent: f64,
    iterations: u32,
}

impl Clock {
    fn new() -> Self {
        Self {
            saved: Instant::now(),
            begun: 0.0,
            spent: 0.0,
            iterations: 0,
        }
    }
}

impl Owner {
    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: NamedLosses> Watch<L> for Owner {
    fn stops(&self) -> bool {
        self.clock().begun = cpu_seconds();
        self.work.stop_point().is_err()
    }

    fn is_due(&self) -> bool {
        let mut clock = self.clock();
        clock.spent += cpu_seconds() - clock.begun;
        clock.iterations += 1;
        clock.saved.elapsed() >= CHECKPOINT_EVERY
    }

    fn keep(&self, state: &State<L>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let tree = self.layout.tree(state, self.is_adam)?;
        let kept = self.work.checkpoint(state.done, tree);
        kept.map_err(TrialError::from)?;
        self.clock().saved = Instant::now();
        Ok(())
    }

    fn progress(&self, done: u64, all: u64) {
        self.work.progress(done, all, self.layout.unit);
    }

    fn curve(&self, name: &str, done: u64, value: f64) {
        self.work.curve(name, done, value);
    }
}

#[cfg(test)]
mod tests {
    use retrial_nets::mask_rcnn::Losses;
    use retrial_nets::weights::{NamedArray, Weights};

    use super::*;

    fn arrays(names: &[&str]) -> Weights {
        let array = |(place, name): (usize, &&str)| {
            let values = vec![place as f32, 0.1];
            let shape = vec![2];
            ((*name).to_owned(), NamedArray { shape, values })
        };
        names.iter().enumerate().map(array).collect()
    }

    #[test]
    fn a_state_of_adam_goes_through_its_tree() {
        let layout = Layout {
            losses: &["losses"],
            unit: "iterations",
        };
        let state = State {
            done: 3,
            weights: arrays(&["inner.bias", "outer"]),
            moments: arrays(&["first.outer", "second.outer"]),
            steps: 2,
            losses: vec![0.5, 0.25, 0.125],
        };
        let tree = layout.tree(&state, true).expect("a tree");
        let names: Vec<&str> = tree.arrays().map(|(path, _)| path).collect();
        assert_eq!(
            names,
            [
                "losses",
                "moments/first.outer",
                "moments/second.outer",
                "weights/inner.bias",
                "weights/outer"
            ]
        );
        assert_eq!(layout.state(3, &tree, true).expect("a state"), state);
    }

    #[test]
    fn losses_of_a_detector_are_lists_and_those_of_a_classifier_are_not_kept() {
        let layout = Layout {
            losses: &["losses/c", "losses/b", "losses/m", "losses/o", "losses/p"],
            unit: "iterations",
        };
        let state = State {
            done: 2,
            weights: arrays(&["outer"]),
            moments: arrays(&["outer"]),
            steps: 0,
            losses: vec![Losses::of(&[1.0, 2.0, 3.0, 4.0, 5.0]), Losses::default()],
        };
        let tree = layout.tree(&state, false).expect("a tree");
        assert_eq!(tree.values::<f64>("losses/m").expect("a list"), [3.0, 0.0]);
        assert_eq!(layout.state(2, &tree, false).expect("a state"), state);
        let layout = Layout {
            losses: &[],
            unit: "iterations",
        };
        let tree = layout.tree(&state, false).expect("a tree");
        let read: State<Losses> = layout.state(2, &tree, false).expect("a state");
        assert_eq!((read.losses, read.weights), (Vec::new(), state.weights));
    }
}
