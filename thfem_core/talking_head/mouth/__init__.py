"""The embedded talking head ``mouth``: the lower face only, at the picture's own resolution, without a download.

Mouth coefficients of the target, from the original's lips or from the sound (:mod:`.motion`), move the edited frame's
mesh (:mod:`.coefficients`); the source frame is carried over to it (:mod:`.geometry`), the inside of the mouth is
painted by a small network (:mod:`.renderer`), and the result is pasted feathered (:mod:`.drawing`).
"""
