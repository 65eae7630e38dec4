//! Prints the digest of the decoded content of every data set, as `content:` in its manifest.
//!
//! `cargo run -p retrial-data --example digests -- datasets CACHE [NAME…]`, with `RETRIAL_MIRROR`
//! for a folder of copies. A manifest is written with a digest of zeros first and gets the
//! printed one afterwards; every variant that can be had is decoded.

use std::path::{Path, PathBuf};

use retrial_data::{CatalogEntry, FetchOptions, Manifest, catalog, decode, obtain};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(root), Some(cache)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: digests DATASETS CACHE [NAME…]");
        std::process::exit(2);
    };
    let names: Vec<String> = arguments.collect();
    let mut options = FetchOptions::new(cache);
    options.mirror = std::env::var_os("RETRIAL_MIRROR").map(PathBuf::from);
    options.offline = std::env::var_os("RETRIAL_OFFLINE").is_some();
    let sets = match catalog(Path::new(&root)) {
        Ok(sets) => sets,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    for CatalogEntry { name, manifest } in sets {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        match manifest {
            Ok(manifest) => print(&manifest, &mut options),
            Err(error) => println!("{name}: {error}"),
        }
    }
}

fn print(manifest: &Manifest, options: &mut FetchOptions) {
    for variant in &manifest.variants {
        options.variant = Some(variant.name.clone());
        let content = obtain(manifest, options, &mut |_| ()).and_then(|o| decode(manifest, &o));
        let (name, variant) = (&manifest.name, &variant.name);
        let content = content.map(|content| content.digest());
        match content {
            Ok(digest) => {
                let stated = if digest == manifest.content {
                    "as stated"
                } else {
                    "NOT as stated"
                };
                println!("{name} {variant} {digest} {stated}");
            }
            Err(error) => println!("{name} {variant}: {error}"),
        }
    }
}
