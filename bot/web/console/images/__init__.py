"""The page Pictures and the image library: cards, uploads, and the choice of images for a rule."""
