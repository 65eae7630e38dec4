//! `retrial reference`: the pages of reference, as Markdown.

use crate::cli::SchemaKind;
use crate::studies;

pub(crate) fn run(of: SchemaKind) {
    let page = match of {
        SchemaKind::Spec => retrial_core::reference::specs(&studies::infos()),
        SchemaKind::Manifest => retrial_data::manifest::reference(),
    };
    say!("{}", page.trim_end());
}
