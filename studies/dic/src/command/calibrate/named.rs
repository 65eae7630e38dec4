//! Calibration points of a data set that is named in place of a file.

use retrial_data::{Content, Model as _, TargetPoints, find_manifest, load};
use retrial_runner::{Call, Failure};

use crate::cli::CalibrateArgs;

/// The arguments with the files of the data set, where no file but a data set has that name.
///
/// Outside a project, and for what cannot be a data set's name, the arguments stay as they are:
/// reading the file says what is wrong.
pub(super) fn located(call: &Call<'_>, args: &CalibrateArgs) -> Result<CalibrateArgs, Failure> {
    let mut args = args.clone();
    let name = args.targets.to_string_lossy().into_owned();
    if args.targets.exists() || name.contains(['.', '/']) {
        return Ok(args);
    }
    let Ok(workspace) = call.workspace() else {
        return Ok(args);
    };
    let manifest = find_manifest(&workspace.root.join("datasets"), &name)?;
    let wrong = |kind: &str| {
        Failure::usage(format!(
            "the data set `{name}` holds {kind}, no calibration points"
        ))
    };
    let kind = manifest.content_kind();
    if kind != TargetPoints::KIND {
        return Err(wrong(kind));
    }
    let (content, _) = load(&manifest, &workspace.fetch_options(false), &mut |_| {})?;
    let Content::Targets(points) = content else {
        return Err(wrong(kind));
    };
    args.targets = points.image_file;
    args.world.get_or_insert(points.world_file);
    args.first_pixel.get_or_insert(points.first_pixel);
    Ok(args)
}
