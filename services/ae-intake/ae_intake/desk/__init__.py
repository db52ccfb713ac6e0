"""The pages of a site: reporting on a form, its cases, its queries; and the page of its keys."""
