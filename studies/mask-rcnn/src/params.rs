//! What can be set in a spec: groups of params, most of them the input of a stage.

use retrial_core::{param_groups, params, words};
use retrial_nets::mask_rcnn::{
    Family, Normalisation, TransferActivation, TransferForm, TransferSource,
};
use retrial_similarity::Reduction;

use super::{boxes, masks, parts, pretrain};

words! {
    /// Which pictures are judged.
    pub(super) enum Split {
        /// Those of other cameras and days: of `test_presets`, and of a set without presets the last quarter by name.
        Cameras = "cameras",
        /// Every fourth.
        Frames = "frames",
    }
}

words! {
    /// What the nets see of a picture.
    pub(super) enum InputKind {
        /// Grey values of the camera's picture.
        Gray = "gray",
        /// Temperatures between `coldest_c` and `hottest_c` where the camera gave them; refused where no picture has
        /// any.
        Temperature = "temperature",
    }
}

words! {
    /// How objects are found.
    pub(super) enum Method {
        /// By a detector with a mask head.
        MaskRcnn = "mask_rcnn",
        /// By a detector without one.
        FasterRcnn = "faster_rcnn",
        /// Without a net.
        Classical = "classical",
    }
}

words! {
    /// What the backbone is pretrained on.
    pub(super) enum PretrainingKind {
        /// Nothing.
        Nothing = "none",
        /// Pictures of the source domain, drawn alike.
        Uniform = "uniform",
        /// The same, drawn by their similarity to the training pictures.
        Similarity = "similarity",
        /// ImageNet: weights that others trained, which the data set holds.
        Imagenet = "imagenet",
    }
}

words! {
    /// What of the grey-level co-occurrence matrix is compared.
    pub(super) enum Texture {
        /// Contrast, dissimilarity, homogeneity, angular second moment, energy and correlation.
        Properties = "properties",
        /// The whole matrix.
        Matrix = "matrix",
    }
}

words! {
    /// What an anchor answers for.
    pub(super) enum Matching {
        /// 0.7 and above an object, below 0.3 background, between ignored.
        Torchvision = "torchvision",
        /// The best anchor of an object and all above 0.5; the others are background.
        Published = "published",
    }
}

words! {
    /// How the mask head is trained (Hu et al. 2018, section 3.2).
    pub(super) enum MaskTraining {
        /// Together with the boxes.
        EndToEnd = "end_to_end" was "joint",
        /// After them, on features that the trained detector gives once.
        StageWise = "stage_wise" was "alone",
    }
}

words! {
    /// Where the last weights of the mask head come from.
    pub(super) enum PredictorKind {
        /// One set a class.
        PerClass = "per_class",
        /// One for all classes.
        ClassAgnostic = "class_agnostic" was "agnostic",
        /// Made from the box head's.
        Transfer = "transfer",
    }
}

params! {
    /// Which pictures are trained on and judged, and how they look.
    pub(super) struct Pictures {
        /// Which pictures of each data set are judged. Generated scenes have no camera: every fourth is.
        split: word(Split) = Split::Cameras,
        /// Camera presets that are judged where `split` is `cameras`. Refused where the data have presets and none of
        /// these, where only some pictures of a set have one, and where it is stated and no picture has one.
        test_presets: ints(0..=999) = [10, 11],
        /// Columns of the pictures of the nets, px.
        image_width: int(32..=2048) = 160,
        /// Rows of the pictures of the nets, px.
        image_height: int(32..=2048) = 128,
        /// What the nets see of a picture.
        input: word(InputKind) = InputKind::Gray,
        /// Temperature shown as black, °C; below `hottest_c`.
        coldest_c: float(-80.0..=400.0) = -20.0,
        /// Temperature shown as white, °C.
        hottest_c: float(-70.0..=600.0) = 60.0,
        /// Classes with fewer labelled objects are left out.
        min_instances was "least_instances": int(1..=100_000) = 10,
        /// Training pictures, drawn evenly; 0 for all.
        train_pictures: int(0..=1_000_000) = 0,
    }
}

params! {
    /// What is trained.
    pub(super) struct Course {
        /// How objects are found.
        method: word(Method) = Method::MaskRcnn,
        /// How the mask head is trained; `faster_rcnn` learns none.
        mask_training: word(MaskTraining) = MaskTraining::EndToEnd,
        /// Whether a head is trained, behind the boxes, that divides devices into parts. It goes with `faster_rcnn`,
        /// and with `mask_rcnn` where `mask_training` is `stage_wise`.
        parts: flag = false,
    }
}

params! {
    /// The backbone of the detector.
    pub(super) struct BackboneParams {
        /// Blocks of the backbone (He et al. 2016, arXiv:1512.03385; Tan & Le 2019, arXiv:1905.11946).
        backbone: word(Family) = Family::Resnet18,
        /// Channels of the backbone's first stage; 64 as published, and with weights of ImageNet. It does nothing with
        /// `efficientnet_lite0`, which has its own.
        base_channels was "width": int(4..=128) = 16,
        /// Normalisation in training; else it is always by running moments.
        normalisation: word(Normalisation) = Normalisation::Batch,
    }
}

params! {
    /// How the backbone is pretrained.
    pub(super) struct Pretraining {
        /// What the backbone is pretrained on.
        pretraining: word(PretrainingKind) = PretrainingKind::Nothing,
        /// What of the grey-level co-occurrence matrix is compared.
        texture: word(Texture) = Texture::Properties,
        /// Grey levels of the matrix.
        texture_levels: int(2..=256) = 32,
        /// Whether features are divided by their standard deviation.
        texture_standardised: flag = true,
        /// h of exp(−d² / h²); 1 as published.
        bandwidth: float(1e-6..=1e6) = 1.0,
        /// From the similarities to all target pictures to one weight.
        reduction: word(Reduction) = Reduction::Mean,
        /// Pictures drawn from the source domain, with replacement.
        source_samples was "source_draws": int(1..=10_000_000) = 8000,
        /// Passes over the pictures drawn.
        source_epochs: int(1..=1000) = 5,
        /// Pictures a step of the pretraining.
        source_batch_size was "source_batch": int(2..=4096) = 64,
        /// Learning rate of the pretraining; falls as a cosine.
        source_learning_rate: float(0.0..=10.0) = 0.05,
    }
}

params! {
    /// What stands behind the backbone, but for the mask head.
    pub(super) struct Regions {
        /// Channels of the feature pyramid.
        pyramid_channels: int(4..=1024) = 32,
        /// Features of a region in the box head: the size of its dense layers.
        fc_dim was "representation": int(4..=4096) = 128,
        /// Side of the smallest anchors, px; doubled at each of five levels. Ratios are 0.5, 1 and 2.
        anchor_px: float(4.0..=256.0) = 8.0,
        /// Side of a region that is read at stride 16, px; 224 as published.
        canonical_px: float(8.0..=1024.0) = 64.0,
    }
}

params! {
    /// The training of the detector.
    pub(super) struct Training {
        /// Iterations; 200,000 as published.
        iterations: int(1..=10_000_000) = 800,
        /// Pictures an iteration; 2 a card as published.
        batch_size: int(1..=256) = 8,
        /// Learning rate; 0.01 as published.
        learning_rate: float(0.0..=10.0) = 0.02,
        /// Momentum; 0.99 as published.
        momentum: float(0.0..=0.9999) = 0.9,
        /// Share of a weight added to its gradient.
        weight_decay: float(0.0..=1.0) = 1e-4,
        /// Largest norm of all gradients; 0 for any.
        clip_norm: float(0.0..=1e9) = 5.0,
        /// Iterations over which the learning rate rises from a hundredth to its value.
        warmup_iters was "warm_up": int(0..=1_000_000) = 50,
        /// Share of the iterations at which the learning rate falls to a tenth; 1 never. It is not above `second_step`.
        first_step was "first_decay": float(0.0..=1.0) = 0.7,
        /// Share of the iterations at which the learning rate falls to a hundredth; 1 never.
        second_step was "second_decay": float(0.0..=1.0) = 0.9,
        /// Parts of the backbone that are not trained: 1 the stem, 2 to 5 a stage more each.
        freeze_at was "frozen_parts": int(0..=5) = 0,
        /// What an anchor answers for.
        match_rule: word(Matching) = Matching::Torchvision,
        /// Anchors of a picture that are sampled for the losses.
        rpn_batch_size_per_image was "anchors_drawn": int(2..=100_000) = 64,
        /// Proposals of a picture that are sampled for the losses.
        roi_batch_size_per_image was "regions_drawn": int(2..=100_000) = 48,
        /// Proposals of a training picture that are kept after non-maximum suppression.
        rpn_post_nms_topk_train was "train_proposals": int(1..=100_000) = 200,
    }
}

params! {
    /// How training pictures are changed at random, and by how much.
    pub(super) struct Augmentation {
        /// Whether half of the training pictures are mirrored.
        flip: flag = true,
        /// Largest change of the contrast, as a share.
        contrast was "gain": float(0.0..=0.9) = 0.2,
        /// Largest change of the brightness, of a range of 1.
        brightness was "offset": float(0.0..=1.0) = 0.1,
        /// Share of the training pictures whose grey values are inverted.
        invert was "inversion": float(0.0..=1.0) = 0.0,
        /// Largest rotation, degrees.
        rotation_deg: float(0.0..=90.0) = 0.0,
        /// Largest shear, px of x a px of y.
        shear: float(0.0..=0.5) = 0.0,
        /// Largest change of the scale, as a share.
        rescale: float(0.0..=0.5) = 0.0,
    }
}

params! {
    /// The convolutions of the mask head, and of the parts head.
    pub(super) struct MaskHead {
        /// Channels of the mask head, and of the parts head.
        mask_channels: int(4..=1024) = 32,
        /// Convolutions before the doubling to 28 × 28, of the mask head and of the parts head.
        mask_convolutions: int(1..=8) = 4,
    }
}

params! {
    /// What turns features into masks.
    pub(super) struct Predictor {
        /// Last weights of the mask head.
        mask_predictor: word(PredictorKind) = PredictorKind::PerClass,
        /// Weights of the box head that describe a class.
        transfer_from: word(TransferSource) = TransferSource::Both,
        /// Layers of the weight transfer function.
        transfer_layers: int(1..=3) = 2,
        /// Activation between them.
        transfer_activation was "transfer_between": word(TransferActivation) =
            TransferActivation::LeakyRelu,
    }
}

params! {
    /// What the mask loss reaches.
    pub(super) struct Reach {
        /// Whether the mask loss reaches the box head through the transfer; matters in end-to-end training.
        transfer_gradient: flag = false,
    }
}

params! {
    /// What comes out of the weight transfer function.
    pub(super) struct Transferred {
        /// Whether transferred weights are added to weights that all classes share.
        transfer_form: word(TransferForm) = TransferForm::Plain,
        /// Whether the map of a class-agnostic MLP branch is added to that of the transfer.
        mlp_mask_branch was "transfer_perceptron": flag = false,
    }
}

params! {
    /// Which masks are annotated in training: partial supervision after Hu et al. 2018, arXiv:1711.10370.
    pub(super) struct AnnotatedMasks {
        /// Training pictures of a class in which its masks are annotated, of all its objects there; 0 for all. The
        /// publication counts 50 masks.
        masks_per_class: int(0..=100_000) = 0,
        /// The class, from 1, of which only boxes are annotated in training; 0 for none. It does not go with
        /// `per_class`, where that class would get no weights at all.
        box_only_class was "class_without_masks": int(0..=1000) = 0,
        /// Number of classes, drawn by the seed, whose masks are annotated in training; of the others only boxes are. 0
        /// for all.
        mask_annotated_classes was "classes_with_masks": int(0..=1000) = 0,
    }
}

params! {
    /// The training of the mask head alone.
    pub(super) struct MasksAlone {
        /// Iterations of the mask head alone, by Adam.
        mask_iterations: int(1..=1_000_000) = 600,
        /// Regions an iteration of the mask head alone, and of the parts head.
        mask_batch_size was "mask_batch": int(1..=4096) = 16,
        /// Learning rate of the mask head alone, by Adam.
        mask_learning_rate: float(0.0..=1.0) = 1e-3,
    }
}

params! {
    /// Regions that the mask head alone and the parts head see.
    pub(super) struct Jitters {
        /// Moved boxes of every object that the mask head alone and the parts head see, and as many in a mirror.
        mask_jitters: int(1..=64) = 3,
    }
}

params! {
    /// The training of the parts head.
    pub(super) struct PartsHead {
        /// Iterations of the parts head, by Adam.
        part_iterations: int(1..=1_000_000) = 600,
        /// Learning rate of the parts head, by Adam.
        part_learning_rate: float(0.0..=1.0) = 1e-3,
    }
}

params! {
    /// What a trained detector finds.
    pub(super) struct Finding {
        /// Proposals of a judged picture that are kept after non-maximum suppression; 300 as published.
        rpn_post_nms_topk_test was "proposals": int(1..=100_000) = 100,
        /// Most detections of a picture.
        detections_per_image was "detections": int(1..=10_000) = 100,
        /// Detections have a score above this.
        score_thresh was "confidence": float(0.0..=1.0) = 0.05,
        /// IoU above which the box of a class with the lower score is dropped; 0.7 among proposals, always.
        nms_thresh was "nms": float(0.0..=1.0) = 0.5,
        /// Least probability of a pixel of a mask.
        mask_thresh was "mask_threshold": float(0.0..=1.0) = 0.5,
    }
}

param_groups! {
    /// All params of a trial.
    pub(super) struct All {
        course: Course,
        pictures: Pictures,
        backbone: BackboneParams,
        pretraining: Pretraining,
        regions: Regions,
        training: Training,
        augmentation: Augmentation,
        mask_head: MaskHead,
        predictor: Predictor,
        reach: Reach,
        transferred: Transferred,
        annotated_masks: AnnotatedMasks,
        masks_alone: MasksAlone,
        jitters: Jitters,
        parts_head: PartsHead,
        finding: Finding,
    }
}

impl All {
    /// Whether masks are learnt behind the boxes.
    pub(super) fn learns_masks_alone(&self) -> bool {
        self.course.method == Method::MaskRcnn
            && self.course.mask_training == MaskTraining::StageWise
    }

    /// What the stage `pretrain` reads.
    pub(super) fn pretrain_input(&self) -> pretrain::Input<'_> {
        pretrain::Input {
            backbone: &self.backbone,
            pretraining: &self.pretraining,
        }
    }

    /// What the training of the detector reads; `with_masks` says whether its mask head is trained with it.
    pub(super) fn detector_input(&self, with_masks: bool) -> boxes::Input<'_> {
        let end_to_end = boxes::EndToEnd {
            net: self.mask_net(),
            reach: &self.reach,
            annotated: &self.annotated_masks,
        };
        boxes::Input {
            backbone: &self.backbone,
            regions: &self.regions,
            training: &self.training,
            augmentation: &self.augmentation,
            end_to_end: with_masks.then_some(end_to_end),
        }
    }

    /// What the training of the mask head alone reads.
    pub(super) fn masks_input(&self) -> masks::Input<'_> {
        masks::Input {
            jitters: &self.jitters,
            net: self.mask_net(),
            annotated: &self.annotated_masks,
            alone: &self.masks_alone,
        }
    }

    /// What the training of the parts head reads.
    pub(super) fn parts_input(&self) -> parts::Input<'_> {
        parts::Input {
            head: &self.mask_head,
            jitters: &self.jitters,
            batch: self.masks_alone.mask_batch_size,
            parts: &self.parts_head,
        }
    }

    fn mask_net(&self) -> MaskNet<'_> {
        MaskNet {
            head: &self.mask_head,
            predictor: &self.predictor,
            transferred: &self.transferred,
        }
    }
}

/// What a mask head is made of.
#[derive(Clone, Copy)]
pub(super) struct MaskNet<'p> {
    pub(super) head: &'p MaskHead,
    pub(super) predictor: &'p Predictor,
    pub(super) transferred: &'p Transferred,
}
