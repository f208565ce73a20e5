"""Measures of an edited clip against its source: was the speech kept, is the picture steady, is the edit seamless?"""
