"""The identity of an installation: which log, blob store and tables belong together, and what happens otherwise.

The blob store is the one store that every service uses, so it has the marker: the installation's id, and the ids of the
cluster and topics of its log. The tables carry the installation's id.
"""
