//! The stage `search`: a latent for every item.

use std::time::Instant;

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_net_study::{device, stage_tree};
use retrial_nets::anogan::{FrozenEncoder, SearchNets, SearchState, images, latent_starts};
use retrial_runner::{Context, TrialError, Work, stage};
use retrial_store::{Array, Tree};

use super::items::{Items, Part};
use super::params::{Judged, Search, SearchNorm};
use super::settings;
use super::train::{CHECKPOINT_EVERY, Trained};

/// Iterations at which losses are noted, and the last one.
const NOTED: &[u64] = &[
    0, 1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 4000,
    5000,
];
/// Items whose images are kept at every noted iteration.
pub(super) const FILMED: usize = 5;

/// What the stage leaves of one part.
///
/// # Shapes
/// - `residual`, `squared`, `discrimination`: `[noted, item]`
#[derive(Default)]
pub(super) struct Searched {
    pub(super) iterations: Vec<u64>,
    pub(super) residual: Vec<Vec<f64>>,
    pub(super) discrimination: Vec<Vec<f64>>,
    /// Latents after the search, one after the other.
    pub(super) latents: Vec<f32>,
    /// Of every start of the first items, at every noted iteration, in the nets' scaling.
    pub(super) film: Vec<Vec<f32>>,
    pub(super) evaluations: u64,
}

pub(super) fn nets(
    norm: SearchNorm,
    trained: &Trained,
    device: &str,
) -> Result<SearchNets, TrialError> {
    let device = device::open(device)?;
    let (generator, discriminator) = (
        trained.training.generator(),
        trained.training.discriminator(),
    );
    Ok(match norm {
        SearchNorm::Batch => SearchNets::batch(generator, discriminator, &device),
        SearchNorm::Running => SearchNets::running(generator, discriminator, &device),
    })
}

/// What the stage reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) judged: &'p Judged,
    pub(super) search: &'p Search,
    pub(super) trained: &'p Trained,
    /// Where latents begin, and the id of its stage; they are drawn otherwise.
    pub(super) encoder: Option<(&'p FrozenEncoder, &'p str)>,
}

/// The searches of the judged and of the held-out items.
pub(super) fn search(
    context: &mut Context,
    input: Input<'_>,
    items: &Items,
) -> Result<[Searched; 2], TrialError> {
    let train = input.trained.id.as_str();
    let (name, inputs) = match input.encoder {
        Some((_, encode)) => ("search_from_encoder", vec![train, encode]),
        None => ("search", vec![train]),
    };
    let what = StageInput {
        name,
        params: [input.judged.pairs(), input.search.pairs()].concat(),
        inputs: &inputs,
        data: [&items.test, &items.validation].map(Part::digest).into(),
        seed: Some(context.seed().0),
    };
    let tree = stage(context, &what, |work| build(work, input, items))?.tree;
    Ok([read(&tree, "test")?, read(&tree, "validation")?])
}

fn build(stage: &Work, input: Input<'_>, items: &Items) -> Result<Tree, TrialError> {
    let mut work = Searching {
        stage,
        nets: nets(input.search.search_batch_norm, input.trained, &stage.device)?,
        input,
        size: items.size,
        tree: match stage.resume()? {
            Some((_, tree)) => tree,
            None => Tree::new(),
        },
        saved: Instant::now(),
        round: 0,
        total: (items.test.len() + items.validation.len()) as u64,
        done: 0,
    };
    // Checkpoints count on from the one that was found.
    work.round = stage_tree::number(&work.tree, "round").unwrap_or(0);
    work.part("test", &items.test, 0)?;
    // Streams of held-out items begin where no judged item's can be.
    work.part("validation", &items.validation, 1_000_000)?;
    let mut result = Tree::new();
    for part in ["test", "validation"] {
        gather(&work.tree, part, &mut result)?;
    }
    Ok(result)
}

/// Iterations so far, and latents with both moments.
type Midway = (u64, [Vec<f32>; 3]);

/// A search under way: finished batches lie in the tree.
struct Searching<'w> {
    stage: &'w Work,
    input: Input<'w>,
    nets: SearchNets,
    size: usize,
    tree: Tree,
    saved: Instant,
    round: u64,
    total: u64,
    done: u64,
}

impl Searching<'_> {
    fn part(&mut self, name: &str, part: &Part, first_stream: usize) -> Result<(), TrialError> {
        let batch = self.input.search.search_batch_size;
        let places: Vec<usize> = (0..part.len()).collect();
        for (index, batch) in places.chunks(batch).enumerate() {
            let group = format!("{name}/{index:05}");
            if self.tree.array(&format!("{group}/latents")).is_none() {
                self.batch(&group, part, batch, first_stream)?;
            }
            self.done += batch.len() as u64;
            self.stage.progress(self.done, self.total, "items searched");
        }
        Ok(())
    }

    fn batch(
        &mut self,
        group: &str,
        part: &Part,
        places: &[usize],
        first_stream: usize,
    ) -> Result<(), TrialError> {
        let restarts = self.input.search.search_restarts;
        let latent_size = self.input.trained.latent_size();
        let rates = settings::search(self.input.search);
        let area = self.size * self.size;
        // Every item once for each of its starts, one after the other.
        let pixels: Vec<f32> = places
            .iter()
            .flat_map(|&at| part.pixels[at * area..(at + 1) * area].repeat(restarts))
            .collect();
        let starts = match self.input.encoder {
            Some((encoder, _)) => {
                let device = device::open(&self.stage.device)?;
                encoder.latents(images(&pixels, self.size, &device))
            }
            None => {
                let of_item = |&at: &usize| {
                    latent_starts(self.stage.seed, first_stream + at, restarts, latent_size)
                };
                places.iter().flat_map(of_item).collect()
            }
        };
        let images = self.nets.images(&pixels, self.size);
        let features = self.nets.features(images.clone());
        let midway = format!("midway/{group}");
        let mut state = match self.resumed(&midway)? {
            Some((iteration, arrays)) => {
                SearchState::restored(rates, latent_size, iteration, arrays)
            }
            None => SearchState::new(rates, starts, latent_size),
        };
        loop {
            let noted = NOTED.contains(&state.iteration()) || state.is_done();
            let film = format!("{group}/film/{:06}", state.iteration());
            if noted && self.tree.array(&film).is_none() {
                let losses = self.nets.losses(state.latents(), &images, &features);
                let at = format!("{group}/noted/{:06}", state.iteration());
                stage_tree::insert_list(
                    &mut self.tree,
                    &format!("{at}/residual"),
                    losses.residual,
                )?;
                let discrimination = losses.discrimination;
                stage_tree::insert_list(
                    &mut self.tree,
                    &format!("{at}/discrimination"),
                    discrimination,
                )?;
                let filmed = if places[0] == 0 {
                    FILMED.min(places.len())
                } else {
                    0
                };
                // Every start, since it is not yet known which is the best; by the statistics of
                // the whole batch where these matter.
                let drawn = if filmed == 0 {
                    Vec::new()
                } else {
                    let mut all = self.nets.draw(state.latents(), latent_size);
                    all.truncate(filmed * restarts * area);
                    all
                };
                self.tree.insert(&film, Array::list(drawn)?)?;
            }
            if state.is_done() {
                break;
            }
            // Where a stop is asked for, what was reached is saved first.
            let stopped = self.stage.stop_point();
            let due = self.saved.elapsed() >= CHECKPOINT_EVERY;
            if due || stopped.is_err() {
                self.save_midway(&midway, &state)?;
            }
            stopped?;
            state.iterate(&mut self.nets, &images, &features);
        }
        if state.latents().iter().any(|z| !z.is_finite()) {
            let first = places.first().map_or(0, |at| at + 1);
            return Err(TrialError::Other(format!(
                "the search of the batch that begins with item {first} left the finite numbers; \
                 a smaller search_learning_rate may help"
            )));
        }
        let latents = Array::new(
            [places.len() * restarts, latent_size],
            state.latents().to_vec(),
        )?;
        self.tree.insert(&format!("{group}/latents"), latents)?;
        let evaluations = vec![state.evaluations() as f64];
        stage_tree::insert_list(&mut self.tree, &format!("{group}/evaluations"), evaluations)?;
        self.forget(&midway)?;
        if self.saved.elapsed() >= CHECKPOINT_EVERY {
            self.save()?;
        }
        Ok(())
    }

    fn resumed(&self, midway: &str) -> Result<Option<Midway>, TrialError> {
        let path = |name: &str| format!("{midway}/{name}");
        if self.tree.array(&path("latents")).is_none() {
            return Ok(None);
        }
        let list = |name: &str| Ok::<_, TrialError>(self.tree.values::<f32>(&path(name))?.to_vec());
        let iteration = self.tree.values::<u64>(&path("iteration"))?[0];
        Ok(Some((
            iteration,
            [list("latents")?, list("first")?, list("second")?],
        )))
    }

    fn save_midway(&mut self, midway: &str, state: &SearchState) -> Result<(), TrialError> {
        // Another search keeps its finished batches only.
        if let Some(arrays) = state.kept() {
            for (name, array) in ["latents", "first", "second"].iter().zip(arrays) {
                self.tree
                    .insert(&format!("{midway}/{name}"), Array::list(array.to_vec())?)?;
            }
            let iteration = Array::list(vec![state.iteration()])?;
            self.tree
                .insert(&format!("{midway}/iteration"), iteration)?;
        }
        self.save()
    }

    fn forget(&mut self, midway: &str) -> Result<(), TrialError> {
        let mut tree = Tree::new();
        for (path, array) in self.tree.arrays() {
            if !path.starts_with(midway) {
                tree.insert(path, array.clone())?;
            }
        }
        self.tree = tree;
        Ok(())
    }

    fn save(&mut self) -> Result<(), TrialError> {
        self.round += 1;
        stage_tree::set_number(&mut self.tree, "round", self.round)?;
        self.stage.checkpoint(self.round, self.tree.clone())?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// All batches of a part as one: `<part>/noted/<iteration>/{residual,discrimination}`, latents,
/// film and evaluations.
fn gather(work: &Tree, part: &str, result: &mut Tree) -> Result<(), TrialError> {
    let mut lists: std::collections::BTreeMap<String, Vec<f64>> = std::collections::BTreeMap::new();
    let (mut latents, mut evaluations) = (Vec::new(), 0.0);
    let prefix = format!("{part}/");
    let batches: Vec<&str> = work
        .arrays()
        .filter_map(|(path, _)| path.strip_prefix(&prefix)?.strip_suffix("/latents"))
        .collect();
    // A batch in which every latent stopped early keeps its last losses from there on.
    let noted: std::collections::BTreeSet<String> = work
        .arrays()
        .filter_map(|(path, _)| {
            let rest = path.strip_prefix(&prefix)?.split_once("/noted/")?.1;
            Some(rest.split_once('/')?.0.to_owned())
        })
        .collect();
    for batch in batches {
        let group = format!("{prefix}{batch}");
        latents.extend_from_slice(work.values::<f32>(&format!("{group}/latents"))?);
        evaluations += work.values::<f64>(&format!("{group}/evaluations"))?[0];
        for loss in ["residual", "discrimination"] {
            let mut last: &[f64] = &[];
            for iteration in &noted {
                if let Ok(found) = work.values::<f64>(&format!("{group}/noted/{iteration}/{loss}"))
                {
                    last = found;
                }
                lists
                    .entry(format!("{part}/noted/{iteration}/{loss}"))
                    .or_default()
                    .extend(last);
            }
        }
        for iteration in &noted {
            if let Ok(film) = work.values::<f32>(&format!("{group}/film/{iteration}"))
                && !film.is_empty()
            {
                let array = Array::list(film.to_vec())?;
                result.insert(&format!("{part}/film/{iteration}"), array)?;
            }
        }
    }
    for (path, values) in lists {
        stage_tree::insert_list(result, &path, values)?;
    }
    result.insert(&format!("{part}/latents"), Array::list(latents)?)?;
    stage_tree::insert_list(result, &format!("{part}/evaluations"), vec![evaluations])
}

fn read(tree: &Tree, part: &str) -> Result<Searched, TrialError> {
    let mut searched = Searched {
        latents: tree.values::<f32>(&format!("{part}/latents"))?.to_vec(),
        evaluations: tree.values::<f64>(&format!("{part}/evaluations"))?[0] as u64,
        ..Searched::default()
    };
    let noted = format!("{part}/noted/");
    for (path, _) in tree.arrays() {
        let Some(iteration) = path
            .strip_prefix(&noted)
            .and_then(|rest| rest.strip_suffix("/residual"))
        else {
            continue;
        };
        searched
            .iterations
            .push(iteration.parse().map_err(TrialError::of)?);
        searched.residual.push(tree.values::<f64>(path)?.to_vec());
        let other = format!("{noted}{iteration}/discrimination");
        searched
            .discrimination
            .push(tree.values::<f64>(&other)?.to_vec());
        let film = tree.values::<f32>(&format!("{part}/film/{iteration}"));
        searched
            .film
            .push(film.map(<[f32]>::to_vec).unwrap_or_default());
    }
    Ok(searched)
}
