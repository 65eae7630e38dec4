//! The metrics of the study `mask-rcnn`.

use retrial_core::metrics;

metrics! {
    /// What is measured of a detector.
    pub(super) mod metric {
        /// COCO's average precision of boxes, mean over IoU 0.50 to 0.95 and over classes.
        box_ap: higher,
        /// Average precision of boxes at IoU 0.50.
        box_ap50: higher,
        /// Average precision of boxes at IoU 0.75.
        box_ap75: higher,
        /// Average recall of boxes, 100 detections a picture.
        box_ar: higher,
        /// COCO's average precision of masks, mean over IoU 0.50 to 0.95 and over classes.
        mask_ap: higher,
        /// Average precision of masks at IoU 0.50.
        mask_ap50: higher,
        /// Average precision of masks at IoU 0.75.
        mask_ap75: higher,
        /// Average recall of masks, 100 detections a picture.
        mask_ar: higher,
        /// Intersection over union of masks drawn in the true boxes, mean over classes; not of `classical`.
        mask_iou: higher,
        /// The same of the classes of which only boxes are annotated in training.
        mask_iou_box_only was "mask_iou_without": higher,
        /// Intersection over union of whole true boxes taken as masks, mean over classes; needs no mask head.
        whole_box_iou: higher,
        /// The same of the classes of which only boxes are annotated in training.
        whole_box_iou_box_only was "whole_box_iou_without": higher,
        /// `mask_iou` less `whole_box_iou`: what the mask head gains over the box.
        mask_iou_gain was "mask_over_box": higher,
        /// The same of the classes of which only boxes are annotated in training.
        mask_iou_gain_box_only was "mask_over_box_without": higher,
        /// Share of true objects whose most confident box of IoU 0.50 or more has their class; mean over classes. The
        /// publication says "accuracy" and not of what; this reading is ours.
        accuracy: higher,
        /// Share of the parts of true objects whose box is found with IoU 0.50 or more; mean over classes.
        part_accuracy: higher,
        /// The same in the surest box that the detector puts on the object; parts of objects that it misses or takes
        /// for another class are not found.
        part_accuracy_detected: higher,
        /// Accuracy of parts in true boxes, mean over the classes whose parts follow one another along one axis.
        part_accuracy_simple: higher,
        /// The same over the classes whose parts lie side by side or repeat.
        part_accuracy_complex: higher,
        /// Distance of part centres over the longer side of the object's box, mean over classes.
        part_centre_error: lower,
        /// Mean absolute error of the highest temperature of a part, K, where both are known.
        part_temperature_error_k: lower,
        /// The same of its mean temperature, K.
        part_mean_temperature_error_k: lower,
        /// Area under the ROC curve of the fault step: the highest temperature of a part less the median of the same
        /// part of the same class in the training pictures, against generated hot spots.
        hot_spot_auroc: higher,
        /// The same by the highest temperature less that of the same part of other objects of the class in the picture,
        /// of the parts that have such a peer.
        hot_spot_auroc_peer was "hot_spot_auroc_like": higher,
        /// The area by the training pictures, of the parts that have a peer in the picture.
        hot_spot_auroc_where_peer was "hot_spot_auroc_usual_where_like": higher,
        /// Average precision at IoU 0.50, of masks where there are any, of objects whose boxes overlap no other by an
        /// IoU of 0.05.
        ap50_isolated: higher,
        /// The same of objects whose boxes overlap another by an IoU of 0.15 and more.
        ap50_overlapped: higher,
        /// What overlapped objects lose against isolated ones in average precision.
        ap50_lost_by_overlap: fact,
        /// Share of the source domain's held-out pictures given their class.
        source_accuracy: higher,
        /// Effective sample size of the weights of the source pictures over their number; 1 is uniform.
        effective_sample_share: fact,
        /// Share of the source pictures that were drawn at all.
        distinct_share: fact,
        /// Sum of the losses of the detector, mean over the last tenth of the iterations.
        loss: lower,
        /// Pictures trained on.
        train_pictures_used: fact,
        /// Pictures judged.
        test_pictures_used: fact,
        /// Objects whose masks are annotated in training.
        masks_used: fact,
        /// Trained parameters of the detector; heads trained behind it are not counted.
        trainable_parameters was "weights": fact,
        /// CPU time of an iteration of the detector, augmentation included; only where this trial trained.
        seconds_per_iteration: lower "s" measured,
        /// CPU time to find the objects of a picture.
        seconds_per_picture: lower "s" measured,
    }
}
