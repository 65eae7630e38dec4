//! `retrial reference`: the pages of reference, as Markdown.

use crate::cli::SchemaKind;
use crate::studies;

pub(crate) fn run(of: SchemaKind) {
    let page = match of {
        SchemaKind::Spec => {
            // The study `fake` serves tests.
            let mut shown = studies::infos();
            shown.retain(|study| study.name != "fake");
            retrial_core::reference::specs(&shown, &retrial_report::figure_kinds())
        }
        SchemaKind::Manifest => retrial_data::manifest::reference(),
    };
    say!("{}", page.trim_end());
}
