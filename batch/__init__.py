"""Whole files through a model: records in, the same records with predictions out, in order and in constant memory.

It reads and writes files, and asks the container's program, on this machine or as a transform job on AWS.
"""
