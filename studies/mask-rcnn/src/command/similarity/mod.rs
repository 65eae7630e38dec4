//! `retrial similarity TARGET SOURCE`: a folder of one's own pictures weighed and drawn by the
//! similarity of their texture to another folder, without a spec.
//!
//! Pictures are read a block at a time and their features kept on the disk. In memory a source
//! picture has its name and a few numbers: a million of them were weighed in 134 MB.

mod cache;
mod domain;
mod figures;
mod listing;
mod output;
mod texture;
mod weigh;

use std::fs;

use retrial_core::census::count;
use retrial_runner::{Failure, eprintln, say};

use self::cache::Cache;
use self::domain::Domain;
use self::listing::Listing;
use self::output::Output;
use self::texture::Texture;
use crate::cli::SimilarityArgs;

/// Most reasons why pictures cannot be read that are said on the terminal.
const SAID: usize = 3;

pub(super) fn run(args: &SimilarityArgs) -> Result<(), Failure> {
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
        pool.build_global()
            .map_err(|error| Failure::usage(format!("cannot use {threads} threads: {error}")))?;
    }
    let texture = Texture::new(args);
    let features = args.features.clone();
    let features = features.unwrap_or_else(|| args.out.join("features"));
    let real = |path| fs::canonicalize(path).ok();
    let (target_real, source_real) = (real(&args.target), real(&args.source));
    let out_real = real(&args.out);
    if out_real.is_some() && (out_real == target_real || out_real == source_real) {
        let out = args.out.display();
        return Err(Failure::usage(format!(
            "the output folder {out} is a folder of pictures itself; name another"
        )));
    }
    let own: Vec<_> = out_real.into_iter().chain(real(&features)).collect();
    let target = Listing::of(&args.target, &own)?;
    let source = Listing::of(&args.source, &own)?;
    if let (Some(target), Some(source)) = (target_real, source_real)
        && target.starts_with(source)
    {
        eprintln!(
            "warning: the target folder lies within the source folder: its pictures are weighed, too"
        );
    }
    let output = Output::prepare(args)?;
    let mut cache = Cache::open(&features, &texture)?;
    let target = Domain::read("target", target, &texture, &mut cache)?;
    let source = Domain::read("source", source, &texture, &mut cache)?;
    cache.forget_keys();
    warn(&target);
    warn(&source);
    let domains = (&target, &source);
    let weighed = weigh::weigh(args, texture.dimension(), domains, &cache)?;
    output.write(args, &texture, domains, &weighed)?;
    print(args, domains, &weighed);
    Ok(())
}

/// Says what cannot be read; `unreadable.csv` holds all of it.
fn warn(domain: &Domain) {
    let folder = domain.listing.folder.display();
    let unreadable = domain.unreadable.len();
    if unreadable > 0 {
        let pictures = count(unreadable, "picture");
        let verb = if unreadable == 1 { "is" } else { "are" };
        eprintln!("warning: {pictures} of {folder} cannot be read and {verb} left out");
    }
    for (name, reason) in domain.unreadable.iter().take(SAID) {
        eprintln!("  {name}: {reason}");
    }
    if unreadable > SAID {
        eprintln!("  … and {} more, all in unreadable.csv", unreadable - SAID);
    }
}

fn print(args: &SimilarityArgs, (target, source): (&Domain, &Domain), weighed: &weigh::Weighed) {
    for domain in [target, source] {
        let pictures = domain.pictures.len();
        let (folder, decoded) = (domain.listing.folder.display(), domain.decoded);
        let kept = pictures - decoded;
        let pictures = count(pictures, "picture");
        say!("{folder}: {pictures}, {decoded} read, {kept} by kept features");
    }
    let effective = weighed.weights.effective_sample_size();
    let share = 100.0 * weighed.effective_share();
    let pictures = count(source.pictures.len(), "picture");
    say!("effective sample {effective:.1} of {pictures} ({share:.1} %)");
    if let Some(&(most, times)) = weighed.most_drawn.first() {
        say!(
            "{} of {}; most often, {} times, {}",
            count(args.draws as usize, "draw"),
            count(weighed.most_drawn.len(), "different picture"),
            times,
            source.name(most)
        );
    }
    say!(
        "weights.csv, weights.png, similar.png and run.yaml are in {}",
        args.out.display()
    );
}
