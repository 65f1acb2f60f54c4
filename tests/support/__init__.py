"""What tests share: waiting, a receiver, a scripted child pool. Nothing here is imported outside the tests."""
