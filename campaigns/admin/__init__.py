"""The admin of campaigns; each module registers its own."""
