"""Content from elsewhere: folders of Markdown with front matter."""
