"""The stages of training: sync expert, mouth motion, mouth renderer, EAT and EAMM; each names its data and losses."""
