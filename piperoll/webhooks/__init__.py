"""What leaves this house by HTTP on a caller's word: the guard at the dial, one way to post, what a webhook looks like.

Used by the notifier for what is due and by the API for a trial. When to post again is the notifier's policy.
"""
