"""What a DataFrame of calls can do beyond pandas: ``df.fal``."""
