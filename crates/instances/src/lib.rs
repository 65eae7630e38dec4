//! Boxes, masks and their evaluation: what instance segmentation needs beside a net.
