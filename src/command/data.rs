//! `retrial data`: data sets, where they are, and whether they are right.

use retrial_data::{Manifest, available, find_manifest};
use serde_json::json;

use super::plan::availability;
use super::run::obtain;
use super::{print_json, table};
use crate::cli::{DataVerb, Format};
use crate::failure::Failure;
use crate::workspace::{Workspace, content_kind};

pub(crate) fn run(workspace: &Workspace, verb: &DataVerb) -> Result<(), Failure> {
    match verb {
        DataVerb::List { format } => list(workspace, *format),
        DataVerb::Fetch { names, offline } => {
            for name in names {
                let manifest = find(workspace, name)?;
                let obtained = obtain(workspace, &manifest, *offline)?;
                println!("{name}: {} from {}", obtained.variant, obtained.source_used);
            }
            Ok(())
        }
        DataVerb::Verify { names, format } => verify(workspace, names, *format),
        DataVerb::Path {
            name,
            offline,
            format,
        } => path(workspace, name, *offline, *format),
    }
}

fn find(workspace: &Workspace, name: &str) -> Result<Manifest, Failure> {
    Ok(find_manifest(&workspace.root.join("datasets"), name)?)
}

fn list(workspace: &Workspace, format: Format) -> Result<(), Failure> {
    let options = workspace.fetch_options(false);
    let mut rows = table(&["data set", "content", "where", "licence"]);
    let mut list = Vec::new();
    for manifest in workspace.manifests()? {
        let place = availability(&available(&manifest, &options));
        let kind = content_kind(&manifest);
        list.push(json!({
            "name": manifest.name,
            "title": manifest.title,
            "content_kind": kind,
            "content": manifest.content,
            "generated": manifest.is_generated(),
            "availability": place,
            "licence": manifest.licence,
            "citation": manifest.citation,
        }));
        rows.add_row([manifest.name, kind.to_owned(), place, manifest.licence]);
    }
    if format == Format::Json {
        return print_json(&json!({ "datasets": list }));
    }
    println!("{rows}");
    Ok(())
}

fn verify(workspace: &Workspace, names: &[String], format: Format) -> Result<(), Failure> {
    let options = workspace.fetch_options(true);
    let all = names.is_empty();
    let manifests = if all {
        workspace.manifests()?
    } else {
        names
            .iter()
            .map(|name| find(workspace, name))
            .collect::<Result<_, _>>()?
    };
    let mut list = Vec::new();
    let mut wrong = Vec::new();
    for manifest in manifests {
        let place = available(&manifest, &options);
        if all && place == retrial_data::Availability::Offline {
            continue;
        }
        let mut options = options.clone();
        options.rehash = true;
        let result = retrial_data::load(&manifest, &options, &mut |_| {});
        let fault = result.err().map(|error| error.to_string());
        if let Some(fault) = &fault {
            wrong.push(format!("{}: {fault}", manifest.name));
        }
        if format == Format::Human {
            let what = fault
                .clone()
                .unwrap_or_else(|| "every byte is right".to_owned());
            println!("{}: {what}", manifest.name);
        }
        list.push(json!({ "name": manifest.name, "right": fault.is_none(), "fault": fault }));
    }
    if format == Format::Json {
        print_json(&json!({ "datasets": list }))?;
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::Data(wrong.join("\n")))
    }
}

fn path(workspace: &Workspace, name: &str, offline: bool, format: Format) -> Result<(), Failure> {
    let manifest = find(workspace, name)?;
    let obtained = obtain(workspace, &manifest, offline)?;
    if format == Format::Json {
        let files: Vec<_> = obtained
            .files
            .iter()
            .map(|file| json!({ "path": file.path, "at": file.at, "role": file.role }))
            .collect();
        return print_json(&json!({ "name": name, "variant": obtained.variant, "files": files }));
    }
    for file in &obtained.files {
        println!("{}", file.at.display());
    }
    Ok(())
}
