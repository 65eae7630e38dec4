//! `retrial schema`: JSON Schema for editors.

use super::print_json;
use crate::cli::{SchemaArgs, SchemaKind};
use crate::failure::Failure;
use crate::program::Call;
use crate::workspace::dataset_infos;

pub(crate) fn run(call: &Call<'_>, args: &SchemaArgs) -> Result<(), Failure> {
    match args.of {
        SchemaKind::Spec => {
            // Outside a project there are studies, but no data sets to name.
            let manifests = match call.workspace() {
                Ok(workspace) => workspace.catalog()?.0,
                Err(_) => Vec::new(),
            };
            print_json(&retrial_core::spec::schema(
                &call.program.infos(),
                &dataset_infos(&manifests),
                &retrial_report::figure_kinds(),
            ))
        }
        SchemaKind::Manifest => print_json(&retrial_data::manifest::schema()),
    }
}
