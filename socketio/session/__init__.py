"""The parts of a session: its state machine, its deadlines, its acks and its queues."""
