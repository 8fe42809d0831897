"""What ``spiderpoolctl sysdump`` collects, and what it leaves out."""
