"""The faults. Each lasts for a while and heals what it broke, so that any order of them is possible."""
