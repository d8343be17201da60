"""What a rules file would do if it were published: its problems, the messages it changes, its differences."""
