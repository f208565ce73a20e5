"""The measures of the embedded face mesh and of pixels: their meaning, which way is better, where good and bad begin.

The ranges are for 25 to 30 frames per second and faces of 100 pixels and more. They come from real clips: what a clip
scores that was only encoded again, what edits scored that people found good or bad, and the tables of the papers.
"""

from __future__ import annotations

from .measure import PICTURE, SPEECH, SYNC, Measure

LANDMARK_MEASURES = (
    Measure(
        key="aperture_r",
        group=SPEECH,
        label="lip opening follows the source",
        better="higher",
        good=0.95,
        bad=0.8,
        digits=3,
        meaning="correlation of the inner-lip gap of source and output, frame by frame; 1 = the same speech motion",
    ),
    Measure(
        key="aperture_lag",
        group=SPEECH,
        label="lag of the lips",
        better="zero",
        unit=" frames",
        good=0,
        bad=1,
        digits=0,
        meaning="the shift at which the lip openings agree best; positive = the output is late",
    ),
    Measure(
        key="aperture_best_r",
        group=SPEECH,
        label="the same at the best lag",
        better="higher",
        good=0.95,
        bad=0.8,
        digits=3,
        meaning="correlation of the lip opening after taking out the lag",
    ),
    Measure(
        key="width_r",
        group=SPEECH,
        label="mouth width follows the source",
        better="higher",
        good=0.9,
        bad=0.6,
        digits=3,
        meaning="correlation of the distance of the mouth corners; expressions change it, so this is milder",
    ),
    Measure(
        key="closures_kept",
        group=SPEECH,
        label="mouth closures kept",
        better="higher",
        good=0.95,
        bad=0.7,
        meaning="share of the source's closures (p, b, m) in which the output's lips meet as well",
    ),
    Measure(
        key="lip_motion",
        group=SPEECH,
        label="lip motion that differs",
        better="lower",
        unit=" %",
        good=1.2,
        bad=2.5,
        meaning="distance of 40 lip points without their mean offset, in % of the eye distance: a smile costs nothing",
    ),
    Measure(
        key="lip_distance",
        group=SPEECH,
        label="lip distance",
        better="lower",
        unit=" %",
        meaning="distance of 40 lip points, in % of the eye distance; an expression moves them: 2 to 6 in good edits",
    ),
    Measure(
        key="jitter_ratio",
        group=PICTURE,
        label="jitter against the source",
        better="lower",
        unit=" ×",
        good=1.1,
        bad=1.4,
        meaning="tremor of the face outside the lips, against that of the source; 1 = as steady",
    ),
    Measure(
        key="added_jitter",
        group=PICTURE,
        label="jitter of the edit itself",
        better="lower",
        unit=" %",
        good=0.6,
        bad=1.2,
        meaning="tremor of what the edit adds, head motion cancelled; encoding alone gives 0.3 to 0.5",
    ),
    Measure(
        key="sharpness",
        group=PICTURE,
        label="sharpness of the face",
        better="higher",
        unit=" ×",
        good=0.8,
        bad=0.5,
        meaning="fine detail of the face against the source's; 1 = as sharp, far above 1 = noise",
    ),
    Measure(
        key="seam_step",
        group=PICTURE,
        label="step along the face outline",
        better="lower",
        good=5.0,
        bad=10.0,
        digits=1,
        meaning="strongest step of the change along any line around the face, in gray levels; a moved outline counts",
    ),
    Measure(
        key="outside",
        group=PICTURE,
        label="change outside the face",
        better="lower",
        good=1.5,
        bad=3.0,
        meaning="mean change of the pixels away from the face, in gray levels; encoding alone gives 0.4 to 1.0",
    ),
)

LOUDNESS_MEASURES = (
    Measure(
        key="loudness_r",
        group=SYNC,
        label="lips open when it is loud",
        better="higher",
        meaning="correlation of lip opening and loudness at the best delay; weak, so compare with the source's",
    ),
    Measure(
        key="loudness_lag",
        group=SYNC,
        label="delay of the sound by loudness",
        better="zero",
        unit=" frames",
        digits=0,
        meaning="the delay at which they agree best; it should be the source's (positive = the sound is late)",
    ),
)

TRUTH_MEASURES = (
    Measure(
        key="psnr",
        group=PICTURE,
        label="PSNR to the true clip",
        better="higher",
        unit=" dB",
        good=30.0,
        bad=22.0,
        meaning="pixel error against the ground truth",
    ),
    Measure(
        key="ssim",
        group=PICTURE,
        label="SSIM to the true clip",
        better="higher",
        good=0.9,
        bad=0.7,
        digits=3,
        meaning="structural similarity to the ground truth",
    ),
)
