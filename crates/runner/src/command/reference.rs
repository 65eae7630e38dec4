//! `retrial reference`: the pages of reference, as Markdown.

use crate::cli::SchemaKind;
use crate::program::Program;

pub(crate) fn run(program: &Program, of: SchemaKind) {
    let page = match of {
        SchemaKind::Spec => {
            let figures = retrial_report::figure_kinds();
            retrial_core::reference::specs(&program.infos(), &figures)
        }
        SchemaKind::Manifest => retrial_data::manifest::reference(),
    };
    say!("{}", page.trim_end());
}
