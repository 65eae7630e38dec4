//! Data that are at hand, decoded before a trial needs them: what they hold, and what of them an
//! experiment uses.

use std::collections::BTreeSet;

use retrial_core::census::Census;
use retrial_core::plan::Trial;
use retrial_data::manifest::Source;
use retrial_data::{
    Availability, Content, DataError, LabelledSet, Manifest, Model as _, available, load, obtain,
    unreadable,
};

use crate::experiment::{Experiment, Experiments};
use crate::failure::Failure;
use crate::study::Memo;
use crate::workspace::Workspace;

/// Decoded data sets; the last one is kept, because experiments beside each other share it or its parts.
#[derive(Default)]
pub(crate) struct DataCheck {
    last: Option<Decoded>,
    /// Names of those that are generated or not at hand.
    absent: BTreeSet<String>,
}

/// A data set with what was found of it.
struct Decoded {
    name: String,
    content: Content,
    memo: Memo,
}

impl DataCheck {
    /// What trials use of their data, once for each choice of params that decides it. Data that are
    /// generated are passed over; of those not at hand this is said.
    ///
    /// # Errors
    /// [`Failure::Data`] for data that cannot be decoded, have another digest, or are of no use to
    /// a trial, and for files that should lie beside a manifest and do not.
    pub(crate) fn census<'t>(
        &mut self,
        workspace: &Workspace,
        experiments: &Experiments,
        experiment: &Experiment,
        trials: impl Iterator<Item = &'t Trial>,
    ) -> Result<Vec<(String, Census)>, Failure> {
        let mut seen: Vec<(String, Vec<Option<String>>)> = Vec::new();
        let mut found: Vec<(String, Census)> = Vec::new();
        for trial in trials {
            let Some((name, _)) = &trial.dataset else {
                continue;
            };
            let keys = experiment.study.census_keys().iter();
            let values = keys.map(|key| Some(trial.params.get(key)?.to_string()));
            let group = (name.clone(), values.collect());
            if seen.contains(&group) {
                continue;
            }
            seen.push(group);
            let Some(manifest) = experiments.manifest(name) else {
                continue;
            };
            let content = match self.content(workspace, manifest) {
                // What `run` passes over is no failure here either.
                Err(error) if experiment.skips(&error) => {
                    Err(format!("`run` skips this experiment: {error}"))
                }
                content => content?.ok_or_else(|| {
                    format!(
                        "not at hand, so its content is not checked; `retrial data fetch {name}` \
                         brings it"
                    )
                }),
            };
            let census = match content {
                Ok((content, memo)) => {
                    let census = experiment.study.census(&trial.params, content, memo);
                    census.map_err(|error| {
                        let (study, own) = (&experiment.spec.study, &experiment.spec.name);
                        Failure::Data(format!("{study}/{own} with the data set `{name}`: {error}"))
                    })?
                }
                Err(_) if !is_elsewhere(workspace, manifest) => continue,
                Err(why) => {
                    let mut census = Census::default();
                    census.fact(why);
                    if let Some(error) = unreadable(manifest, &workspace.fetch_options(true)) {
                        census.warn(format!("a copy of this machine is of no use: {error}"));
                    }
                    census
                }
            };
            let entry = (name.clone(), census);
            if !entry.1.is_empty() && !found.contains(&entry) {
                found.push(entry);
            }
        }
        Ok(found)
    }

    /// The decoded content of what is at hand, checked against its digest.
    fn content(
        &mut self,
        workspace: &Workspace,
        manifest: &Manifest,
    ) -> Result<Option<(&Content, &mut Memo)>, DataError> {
        let name = &manifest.name;
        let is_last = |last: &Decoded| last.name == *name;
        if !self.last.as_ref().is_some_and(is_last) && !self.absent.contains(name) {
            match self.decode(workspace, manifest)? {
                None => {
                    self.absent.insert(name.clone());
                }
                Some(content) => {
                    let (name, memo) = (name.clone(), Memo::default());
                    self.last = Some(Decoded {
                        name,
                        content,
                        memo,
                    });
                }
            }
        }
        let last = self.last.as_mut().filter(|last| is_last(last));
        Ok(last.map(|last| (&last.content, &mut last.memo)))
    }

    /// Decodes a data set, but for the parts that the last one has, too.
    fn decode(
        &mut self,
        workspace: &Workspace,
        manifest: &Manifest,
    ) -> Result<Option<Content>, DataError> {
        if manifest.parts.is_empty() {
            return decoded(workspace, manifest);
        }
        // A hundred thousand small pictures take a minute: `data fetch` decodes them once.
        let slow = |part: &Manifest| part.content_kind() == LabelledSet::KIND;
        let wanted = || manifest.parts.iter().filter(|part| !slow(part));
        let mut fresh = Vec::new();
        for part in wanted() {
            if !self.last.as_ref().is_some_and(|last| last.has(&part.name)) {
                let Some(content) = decoded(workspace, part)? else {
                    return Ok(None);
                };
                fresh.push((part.name.clone(), content));
            }
        }
        let mut all = self.last.take().map_or_else(Vec::new, Decoded::into_parts);
        all.extend(fresh);
        let own = wanted().filter_map(|part| {
            let place = all.iter().position(|(name, _)| *name == part.name)?;
            Some(all.swap_remove(place))
        });
        Ok(Some(Content::Several(own.collect())))
    }
}

impl Decoded {
    fn has(&self, part: &str) -> bool {
        self.name == part || self.content.part(part).is_some()
    }

    fn into_parts(self) -> Vec<(String, Content)> {
        match self.content {
            Content::Several(parts) => parts,
            one => vec![(self.name, one)],
        }
    }
}

/// Decodes a data set without parts that is at hand.
fn decoded(workspace: &Workspace, manifest: &Manifest) -> Result<Option<Content>, DataError> {
    let options = workspace.fetch_options(true);
    match available(manifest, &options) {
        Availability::Cached { .. } | Availability::Local { .. } => {
            Ok(Some(load(manifest, &options, &mut |_| ())?.0))
        }
        Availability::Generated => Ok(None),
        Availability::Remote { .. } | Availability::Offline => {
            // Nothing can bring a file that should lie beside its manifest: the error names it.
            if is_bundled(manifest) {
                obtain(manifest, &options, &mut |_| ())?;
            }
            Ok(None)
        }
    }
}

/// Whether files of a data set have to be fetched.
fn is_elsewhere(workspace: &Workspace, manifest: &Manifest) -> bool {
    let there = available(manifest, &workspace.fetch_options(true));
    matches!(there, Availability::Remote { .. } | Availability::Offline)
}

/// Whether all files of a data set lie beside its manifest, and nowhere else.
fn is_bundled(manifest: &Manifest) -> bool {
    let mut sources = manifest.variants.iter().map(|variant| &variant.sources);
    let bundled = |source: &Source| matches!(source, Source::Bundled { .. });
    sources.all(|own| !own.is_empty() && own.iter().all(bundled))
}

/// Prints what is known of data, warnings marked.
pub(crate) fn say_all(found: &[(String, Census)]) {
    for (name, census) in found {
        say!("  data: {name}");
        for fact in &census.facts {
            say!("    {fact}");
        }
        for warning in &census.warnings {
            say!("    warning: {warning}");
        }
    }
}

/// Prints warnings only, to standard error.
pub(crate) fn warn_all(found: &[(String, Census)]) {
    for (name, census) in found {
        for warning in &census.warnings {
            eprintln!("warning: {name}: {warning}");
        }
    }
}
