//! Data that are at hand, decoded before a trial needs them: what they hold, and what of them an
//! experiment uses.

use retrial_core::census::Census;
use retrial_core::plan::Trial;
use retrial_data::manifest::Source;
use retrial_data::{Availability, Content, Manifest, available, load, obtain};

use crate::experiment::{Experiment, Experiments};
use crate::failure::Failure;
use crate::studies::Memo;
use crate::workspace::Workspace;

/// Decoded data sets; the last one is kept with what was found of it, because experiments beside each other share it.
#[derive(Default)]
pub(crate) struct DataCheck {
    last: Option<(String, Content, Memo)>,
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
            let census = match self.content(workspace, manifest)? {
                Some((content, memo)) => {
                    let census = experiment.study.census(&trial.params, content, memo);
                    census.map_err(|error| {
                        let (study, own) = (&experiment.spec.study, &experiment.spec.name);
                        Failure::Data(format!("{study}/{own} with the data set `{name}`: {error}"))
                    })?
                }
                None if !is_elsewhere(workspace, manifest) => continue,
                None => {
                    let mut census = Census::default();
                    census.fact(format!(
                        "not at hand, so its content is not checked; `retrial data fetch {name}` \
                         brings it"
                    ));
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
    ) -> Result<Option<(&Content, &mut Memo)>, Failure> {
        if self
            .last
            .as_ref()
            .is_none_or(|(name, ..)| *name != manifest.name)
        {
            let Some(content) = decoded(workspace, manifest)? else {
                return Ok(None);
            };
            self.last = Some((manifest.name.clone(), content, Memo::default()));
        }
        let last = self.last.as_mut();
        Ok(last.map(|(_, content, memo)| (&*content, memo)))
    }
}

fn decoded(workspace: &Workspace, manifest: &Manifest) -> Result<Option<Content>, Failure> {
    let options = workspace.fetch_options(true);
    if !manifest.parts.is_empty() {
        // A hundred thousand small pictures take a minute: `data fetch` decodes them once.
        let slow = |part: &Manifest| part.content_kind() == retrial_data::content::kind::LABELLED;
        let mut parts = Vec::new();
        for part in manifest.parts.iter().filter(|part| !slow(part)) {
            let Some(content) = decoded(workspace, part)? else {
                return Ok(None);
            };
            parts.push((part.name.clone(), content));
        }
        return Ok(Some(Content::Several(parts)));
    }
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
