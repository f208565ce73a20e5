"""Model files: what one is and under which licence (:mod:`.model`), where they lie (:mod:`.store`), how they are
read (:mod:`.reading`) and converted (:mod:`.convert`). The embedded ones lie in this folder."""
