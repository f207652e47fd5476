"""What several benchmarks need: a site full of posts, apps over it, and somebody who asks."""
