"""SAEs that others trained: found, checked, brought to our form, measured."""
