"""The paper's evaluation: data set layouts, pairs, systems, jobs, tables and the user study."""
