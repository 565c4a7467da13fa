"""A synthesized template, parsed once into answers: references, network, permissions, failures."""
