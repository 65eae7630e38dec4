//! The keys of a manifest.

mod truth;
mod types;

use retrial_core::keys;
use retrial_core::keys::At;
use retrial_synth::infrared::{Emissivity, SceneSpec};
use retrial_synth::{Camera, Exposure, Profile, SpecklePattern};

pub use self::truth::{ExactField, Stated, TableWord, TruthTableKeys};
pub use self::types::{
    Amount, Bits, ClassName, ContentDigest, DecoderName, Files, FirstPixel, GreyRange, Known,
    ManifestFormat, SetName, Sha256, Side,
};
use super::{AnnotationForm, Kind, Redistribution, Registry};

keys! {
    /// A manifest: what a data set is, where its files are and what they decode to.
    pub struct ManifestKeys {
        /// Version of the manifest format.
        format: ManifestFormat [needed()];
        /// The name of the folder: small letters, digits and hyphens, at most 64.
        name: SetName [needed()];
        /// What it is, in one line.
        title: String [needed()];
        /// Where it comes from.
        kind: Known<Kind> [needed()];
        /// What its owner allows, in full, or that nothing is stated.
        licence: String [needed()];
        /// What may be done with it beyond reading it.
        redistribution: Known<Redistribution> [needed()];
        /// What to cite.
        citation: String [needed()];
        /// An address where people read about it.
        homepage: String;
        /// Digest of the decoded content: `blake3:` and 64 hex digits.
        content: ContentDigest [needed()];
        /// Whether what could be repaired in annotations and tables is a fault.
        strict: bool = false;
        /// Settings of `image-series`. At most one of the settings is given, as the decoder needs it.
        series: SeriesKeys;
        /// Settings of `speckle-series`.
        speckle: SpeckleKeys;
        /// Settings of `thermal-coco`.
        thermal: ThermalKeys;
        /// Settings of `annotated-pictures`.
        pictures: PictureKeys;
        /// Settings of `infrared-scenes`.
        scenes: SceneKeys;
        /// Settings of `target-points`.
        targets: TargetKeys;
        /// Settings of `several`: the data sets it is made of, by name.
        parts: At<Vec<At<String>>>;
        /// Forms of the same content, one or more; their decoders give one kind of content.
        variants: At<Vec<VariantKeys>> [needed()];
    }
}

keys! {
    /// One form of the files.
    pub struct VariantKeys {
        /// Letters, digits, `-` and `_`; none twice.
        name: At<String> [needed()];
        /// How the files become content.
        decoder: DecoderName [needed()];
        /// The files: a list, or the name of a table beside the manifest. A table is separated by tabs and has the
        /// header `path bytes sha256 origin role`. A generator has none.
        files: At<Files>;
        /// Where the files are.
        sources: Vec<SourceKeys>;
    }
}

keys! {
    /// A file.
    pub struct FileKeys {
        /// Its place in the cache, relative, with `/`.
        path: At<String> [needed()];
        /// Its size.
        bytes: At<u64> [needed()];
        /// Its sha256, 64 hex digits.
        sha256: Sha256 [needed()];
        /// Its path at the source, where that differs.
        origin: At<String>;
        /// What the decoder takes it for.
        role: String;
    }
}

keys! {
    /// A place that holds files: exactly one of its keys. `{path}` and `{origin}` stand for those of a file.
    pub struct SourceKeys {
        /// An address that begins with `https://`.
        url: At<String> [one()];
        /// A path below the folder of copies.
        mirror: At<String> [one()];
        /// A path beside the manifest.
        bundled: At<String> [one()];
        /// A member of a package.
        package: PackageKeys [one()];
    }
}

keys! {
    /// A member of a package of a registry.
    pub struct PackageKeys {
        /// Which registry.
        registry: Known<Registry> [needed()];
        /// The package.
        name: At<String> [needed()];
        /// Its exact version.
        version: At<String> [needed()];
        /// The member.
        member: At<String> [needed()];
    }
}

keys! {
    /// Which picture of an image series is what.
    pub struct SeriesKeys {
        /// The file of the reference.
        reference: String [needed()];
        /// Rows of the reference that are kept; all without it. Pictures as tall as the whole reference are cut like
        /// it; others must have the height that is left.
        reference_rows: RowsKeys;
        /// The deformed pictures.
        images: Vec<SeriesImageKeys> [needed()];
    }
}

keys! {
    /// Rows of a picture.
    pub struct RowsKeys {
        /// The first, from 0.
        first: usize [needed()];
        /// How many.
        number: usize [needed()];
    }
}

keys! {
    /// A deformed picture.
    pub struct SeriesImageKeys {
        /// Its file.
        file: String [needed()];
        /// What is known of its displacement.
        truth: Stated [needed()];
    }
}

keys! {
    /// A generated speckle series.
    pub struct SpeckleKeys {
        /// Seed of pattern and noise.
        seed: u64 [needed()];
        /// Columns of the pictures.
        width_px: Side [needed()];
        /// Rows of the pictures.
        height_px: Side [needed()];
        /// What the speckles look like.
        pattern: PatternKeys;
        /// The camera.
        camera: CameraKeys;
        /// The deformed pictures.
        images: At<Vec<SpeckleImageKeys>> [needed()];
    }
}

keys! {
    /// What the speckles look like.
    pub struct PatternKeys {
        /// Shape of a speckle.
        profile: Known<Profile> = Known(SpecklePattern::default().profile);
        /// Side of the square cell that holds one speckle, px.
        spacing_px: f64 = SpecklePattern::default().spacing_px;
        /// How far a speckle may lie from the centre of its cell, as a share of the cell: 0 is a regular lattice.
        jitter: f64 = SpecklePattern::default().jitter;
        /// Mean radius, px.
        radius_px: f64 = SpecklePattern::default().radius_px;
        /// Half width of the uniform distribution of radii, as a share of the mean.
        radius_spread: f64 = SpecklePattern::default().radius_spread;
    }
}

keys! {
    /// The camera of a generated series.
    pub struct CameraKeys {
        /// Bits of a pixel.
        bits: Bits = Bits(Camera::default().bits.into());
        /// Grey level of intensity 0, as a share of full scale.
        dark: f64 = Camera::default().dark;
        /// Grey level of intensity 1, as a share of full scale.
        bright: f64 = Camera::default().bright;
        /// Standard deviation of the blur by the optics, px.
        blur_px: Amount = Amount(Camera::default().blur_px);
        /// Standard deviation of the noise that does not depend on the light, grey levels.
        read_noise: Amount = Amount(Camera::default().read_noise);
        /// Variance of the noise a grey level of signal, grey levels.
        shot_noise: Amount = Amount(Camera::default().shot_noise);
    }
}

keys! {
    /// A generated deformed picture.
    pub struct SpeckleImageKeys {
        /// Its displacement, exactly.
        truth: ExactField [needed()];
        /// Factor of the grey levels.
        gain: f64 = Exposure::default().gain;
        /// Grey levels added.
        offset: f64 = Exposure::default().offset;
    }
}

keys! {
    /// Where annotations and temperatures of infrared pictures are.
    pub struct ThermalKeys {
        /// Sets of annotations.
        annotations: Vec<AnnotationKeys> [needed()];
        /// The plane of temperatures that originals carry as little-endian 16-bit numbers.
        plane: PlaneKeys;
        /// Black and white of pictures of 16-bit grey, in place of the least and the greatest value of the set.
        grey_range: GreyRange;
    }
}

keys! {
    /// A set of annotations.
    pub struct AnnotationKeys {
        /// Its name.
        name: String [needed()];
        /// Its COCO file.
        file: String [needed()];
    }
}

keys! {
    /// A plane of temperatures inside a larger file.
    pub struct PlaneKeys {
        /// First byte.
        offset: u64 [needed()];
        /// Columns.
        width: usize [needed()];
        /// Rows.
        height: usize [needed()];
    }
}

keys! {
    /// How the annotations of pictures are written.
    pub struct PictureKeys {
        /// Name of the set of annotations.
        name: String = "objects".to_owned();
        /// Form of its files.
        annotations: Known<AnnotationForm> [needed()];
        /// Names of the classes in the order of their ids; not for `coco`, whose file lists them.
        classes: Vec<At<String>>;
        /// Black and white of pictures of 16-bit grey, in place of the least and the greatest value of the set.
        grey_range: GreyRange;
    }
}

keys! {
    /// Generated thermograms.
    pub struct SceneKeys {
        /// Seed of the set.
        seed: u64 [needed()];
        /// How many, 1 to 20,000; a scene does not depend on it.
        count: At<u64> [needed()];
        /// Columns of the pictures.
        width_px: usize [needed()];
        /// Rows of the pictures.
        height_px: usize [needed()];
        /// Kinds of equipment by name, all 20 without it; their ids follow the order.
        classes: Vec<At<ClassName>>;
        /// How many objects a scene has, 1 to 4 without it; fewer where no room is left.
        objects: ObjectsKeys;
        /// Probability that an object is of the kind of the one placed before it.
        alike: f64 = SceneSpec::default().alike;
        /// Largest share of the smaller box that two boxes have in common; 0 keeps objects apart.
        overlap: f64 = SceneSpec::default().overlap;
        /// Probability of one object alone that is larger than the picture.
        crop: f64 = SceneSpec::default().crop;
        /// Largest tilt of upright equipment either way, degrees.
        tilt_deg: f64 = SceneSpec::default().tilt_deg;
        /// Probability that an object has a hot joint.
        hot_spots: f64 = SceneSpec::default().hot_spots;
        /// Density of girders and wires, which have no label.
        clutter: f64 = SceneSpec::default().clutter;
        /// How surfaces radiate.
        emissivity: Known<Emissivity> = Known(SceneSpec::default().emissivity);
        /// Noise of a pixel, K.
        noise_k: f64 = SceneSpec::default().noise_k;
        /// Noise of a column, K.
        column_k: f64 = SceneSpec::default().column_k;
        /// Blur of the optics, px.
        blur_px: f64 = SceneSpec::default().blur_px;
    }
}

keys! {
    /// How many objects a scene has.
    pub struct ObjectsKeys {
        /// Fewest.
        least: usize [needed()];
        /// Most.
        most: usize [needed()];
    }
}

keys! {
    /// How the points of a calibration target are written.
    pub struct TargetKeys {
        /// The coordinate of the first pixel's centre in the files: 0, or 1 as in MATLAB.
        first_pixel: FirstPixel [needed()];
    }
}
