"""Whether an imported post is public: the strictest rule of any tool wins."""
